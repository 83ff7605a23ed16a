/** Backup and restore of a cluster's state. */

export { backUp, restore, type BackupFacts } from './back-up.ts';
