import { describeMastersSeeds } from './testing/masters-seeds.ts';

describeMastersSeeds(376, 125);
