/**
 * Who may use whom: the one table behind the boundary check. Layers are the `layer:` tags in each
 * package's package.json; docs/adr/0002 says why it is checked by a table of our own.
 */

export type Layer = 'pure' | 'api' | 'edge' | 'component' | 'client' | 'box' | 'test';

interface LayerRule {
  /** Layers whose packages may be imported. */
  readonly layers: readonly Layer[];
  /** Single packages of other layers that may be imported too. */
  readonly packages?: readonly string[];
  /** Whether `node:` modules and npm packages of its package.json may be used. */
  readonly environment: boolean;
}

export const LAYER_RULES: Readonly<Record<Layer, LayerRule>> = {
  pure: { layers: ['pure'], environment: false },
  api: { layers: ['pure', 'api'], environment: true },
  edge: { layers: ['pure', 'api'], packages: ['@dcos/telemetry', '@dcos/http'], environment: true },
  component: { layers: ['pure', 'api', 'edge'], environment: true },
  client: { layers: ['pure', 'api'], environment: true },
  box: { layers: ['pure', 'api', 'edge', 'component'], environment: true },
  test: { layers: ['pure', 'api', 'edge', 'component', 'test'], environment: true },
};

/** Packages that tests of any layer may use besides what their own layer allows. */
export const TEST_LAYERS: readonly Layer[] = ['test'];

/** npm packages that pure code may import: no I/O, no clock, no randomness in what is used of them. */
export const PURE_NPM: readonly string[] = ['@bufbuild/protobuf', 're2js'];
