import { describeMastersSeeds } from './testing/masters-seeds.ts';

describeMastersSeeds(1, 125);
