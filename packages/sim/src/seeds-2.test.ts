import { describeSeeds } from './testing/seed-range.ts';

describeSeeds(251, 250);
