#!/usr/bin/env node
// The command `installer` of a checkout, which knows how to set itself up.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const start = join(import.meta.dirname, '..', '..', 'tools', 'start', 'installer.mjs');
await import(pathToFileURL(start).href);
