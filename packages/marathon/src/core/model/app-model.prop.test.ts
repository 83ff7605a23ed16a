import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appToJson } from './app-json.ts';
import { createApp, updateApp } from './app-requests.ts';
import { isSameDefinition } from './config-difference.ts';
import { findDependencyLevels } from './dependency-graph.ts';
import { allApps, allGroups, findApp, findGroup } from './group.ts';
import { comparePathIds, isDirectChild } from './path-id.ts';
import { servicePortsOf } from './service-ports.ts';
import { arbitraryApp } from './testing/arbitrary-app.ts';
import { contextAt, EMPTY, FIRST, SECOND, valueOf } from './testing/fixtures.ts';
import { without } from './compact.ts';

function createdFrom(request: object) {
  return valueOf(createApp(EMPTY, JSON.stringify(request), contextAt(FIRST)));
}

test('what is shown can be sent back and gives the same definition', () => {
  fc.assert(
    fc.property(arbitraryApp, (request) => {
      const { app } = createdFrom(request);
      expect(createdFrom(appToJson(app)).app).toEqual(app);
    }),
    { numRuns: 500 },
  );
});

test('an update with what is shown, or with nothing, changes nothing', () => {
  fc.assert(
    fc.property(arbitraryApp, fc.boolean(), (request, partial) => {
      const { root, app } = createdFrom(request);
      const shown = without(appToJson(app), 'version', 'versionInfo');
      const body = JSON.stringify(shown);
      const update = { id: app.id, body, partial, mayCreate: false };
      const again = valueOf(updateApp(root, update, contextAt(SECOND)));
      expect(again.app).toBe(app);
    }),
    { numRuns: 500 },
  );
});

test('a definition is plain data: JSON keeps it', () => {
  fc.assert(
    fc.property(arbitraryApp, (request) => {
      const { app } = createdFrom(request);
      expect(JSON.parse(JSON.stringify(app))).toEqual(app);
      expect(isSameDefinition(JSON.parse(JSON.stringify(app)), app)).toBe(true);
    }),
  );
});

test('service ports are unique in the tree and stay with their apps', () => {
  fc.assert(
    fc.property(fc.array(arbitraryApp, { maxLength: 12 }), (requests) => {
      let root = EMPTY;
      const given = new Map<string, readonly number[]>();
      for (const request of requests) {
        // Ports that a request names may be named twice: that is the user's choice.
        const { ports: _ports, ...asking } = request as typeof request & { ports?: unknown };
        const result = createApp(root, JSON.stringify(asking), contextAt(FIRST));
        if (!result.ok) continue;
        root = result.value.root;
        given.set(result.value.app.id, servicePortsOf(result.value.app));
      }
      const all = allApps(root).flatMap(servicePortsOf);
      expect(new Set(all).size).toBe(all.length);
      for (const port of all) expect(port >= 10_000 && port <= 20_000).toBe(true);
      for (const [id, ports] of given) {
        const app = findApp(root, id);
        expect(app === undefined ? [] : servicePortsOf(app)).toEqual(ports);
      }
    }),
    { numRuns: 200 },
  );
});

test('the tree keeps its form', () => {
  fc.assert(
    fc.property(fc.array(arbitraryApp, { maxLength: 12 }), (requests) => {
      let root = EMPTY;
      for (const request of requests) {
        const result = createApp(root, JSON.stringify(request), contextAt(FIRST));
        if (result.ok) root = result.value.root;
      }
      for (const group of allGroups(root)) {
        expect(findGroup(root, group.id)).toBe(group);
        for (const children of [group.apps, group.groups]) {
          const ids = [...children.keys()];
          expect(ids).toEqual(ids.toSorted(comparePathIds));
          for (const [id, child] of children) {
            expect(child.id).toBe(id);
            expect(isDirectChild(id, group.id)).toBe(true);
          }
        }
      }
      expect(findDependencyLevels(root)?.flat().length ?? 0).toBe(allApps(root).length);
    }),
    { numRuns: 200 },
  );
});

test('whatever the body is, the answer is a definition or a problem', () => {
  const junk = fc.oneof(
    fc.jsonValue(),
    arbitraryApp,
    fc.dictionary(
      fc.constantFrom(
        'id',
        'cmd',
        'args',
        'env',
        'container',
        'networks',
        'portDefinitions',
        'healthChecks',
        'constraints',
        'ipAddress',
        'ports',
        'uris',
        'fetch',
        'check',
        'dependencies',
      ),
      fc.jsonValue(),
    ),
  );
  fc.assert(
    fc.property(junk, (body) => {
      const result = createApp(EMPTY, JSON.stringify(body), contextAt(FIRST));
      if (!result.ok) expect([400, 422]).toContain(result.error.status);
    }),
    { numRuns: 2000 },
  );
});
