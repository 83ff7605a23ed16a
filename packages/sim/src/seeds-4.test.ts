import { describeSeeds } from './testing/seed-range.ts';

describeSeeds(751, 250);
