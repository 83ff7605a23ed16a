import { describeMastersSeeds } from './testing/masters-seeds.ts';

describeMastersSeeds(126, 125);
