/** A release as it goes to hosts: an archive whose content unpacks into the release's folder. */

import type { ReleasePlan } from '../core/cluster.ts';
import type { UploadSource } from './connection.ts';

export interface Release extends ReleasePlan {
  /** The archive, a tar file; made when it is asked for first. */
  archive(): Promise<UploadSource>;
}
