import { describeMastersSeeds } from './testing/masters-seeds.ts';

describeMastersSeeds(251, 125);
