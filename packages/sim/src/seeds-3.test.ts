import { describeSeeds } from './testing/seed-range.ts';

describeSeeds(501, 250);
