/**
 * Who asks, and whether they may: log-in in each realm where the settings demand it, and the
 * reads that access control lists refuse. Without such settings everybody may do everything.
 *
 * Answers are the original's: 401 without a body and with the realm in `WWW-Authenticate`; a 403 says
 * what is not allowed.
 */

import { errorText, OperationError, type Clock } from '@dcos/base';
import type { FastifyInstance, FastifyRequest } from '@dcos/http';
import { textOfSetting } from '@dcos/telemetry';
import type { masterApi } from '@dcos/wire';
import { parseAcls, type Acls } from '../authorization/acls.ts';
import { createLocalAuthorizer } from '../authorization/local-authorizer.ts';
import { viewerOf, type Viewer } from '../core/viewer.ts';
import { PERMISSIVE, type Authorizer } from '../core/authorization.ts';
import { demandsOfCall, demandsOfRoute, realmOf, routeOf, type Realm } from './access-rules.ts';
import type { AgentLogIn } from './agent-sockets.ts';
import { Authenticator } from './authenticator.ts';
import type { ResolvedMasterConfig } from './config.ts';
import { parseFirewallRules } from './firewall.ts';

export class AccessControl {
  readonly authorizer: Authorizer;
  /** Names of the access control lists that are left to the agents. */
  readonly listsOfAgents: readonly string[];
  readonly #authenticator: Authenticator;
  readonly #authenticatesAgents: boolean;
  readonly #realms: ReadonlySet<Realm>;
  readonly #disabled: ReadonlySet<string>;
  /** By the request itself, so that nothing which a client sends can stand for it. */
  readonly #principals = new WeakMap<FastifyRequest['raw'], string>();

  /** Reads the files that the settings name. Throws `CREDENTIALS_*`, `TOKEN_*`, `ACLS_*`, `FIREWALL_RULES_*`. */
  constructor(config: ResolvedMasterConfig, clock: Pick<Clock, 'now'>) {
    this.#realms = realmsOf(config);
    this.#authenticator = new Authenticator(config, clock);
    this.#authenticatesAgents = config.authenticateAgents;
    if (this.#realms.size > 0 || this.#authenticatesAgents) this.#authenticator.assertUsable();
    this.#disabled =
      config.firewallRules === undefined
        ? new Set()
        : parseFirewallRules(textOfSetting('FIREWALL_RULES_UNREADABLE', config.firewallRules));
    const acls = config.acls === undefined ? undefined : aclsOf(config.acls);
    this.authorizer = acls === undefined ? PERMISSIVE : createLocalAuthorizer(acls);
    this.listsOfAgents = acls?.ofAgents ?? [];
  }

  /** Checks every request before its body is read. */
  install(app: FastifyInstance): void {
    app.addHook('onRequest', async (request, reply) => {
      const { url } = request.routeOptions;
      if (url !== undefined && this.#disabled.has(routeOf(url))) {
        await reply
          .code(403)
          .type('text/plain; charset=utf-8')
          .send(`Endpoint '${url}' is disabled`);
        return;
      }
      const realm = realmOf(url);
      if (realm !== undefined && this.#realms.has(realm)) {
        const principal = await this.#authenticator.principalOf(request.headers.authorization);
        if (principal === undefined) {
          await reply
            .code(401)
            .header('www-authenticate', this.#authenticator.challenge(realm))
            .send();
          return;
        }
        this.#principals.set(request.raw, principal);
      }
      const refusal = this.#refusal(request, demandsOfRoute(url, request.method));
      if (refusal !== undefined)
        await reply.code(403).type('text/plain; charset=utf-8').send(refusal);
    });
  }

  /** Logs in agents, when they must; undefined when they need not. */
  get agentLogIn(): AgentLogIn | undefined {
    if (!this.#authenticatesAgents) return undefined;
    return {
      challenge: this.#authenticator.challenge('mesos-master-agent'),
      principalOf: (header) => this.#authenticator.principalOf(header),
    };
  }

  /** Who sent the request; undefined when nobody had to say. */
  principalOf(request: FastifyRequest): string | undefined {
    return this.#principals.get(request.raw);
  }

  /** What the one who sent the request may see. */
  viewerOf(request: FastifyRequest): Viewer {
    return viewerOf(this.authorizer, this.principalOf(request));
  }

  /** Whether the settings of the master may be shown. */
  showsFlags(request: FastifyRequest): boolean {
    const principal = this.principalOf(request);
    return this.authorizer.allows({ action: 'VIEW_FLAGS', principal });
  }

  /** Why a call may not go on to the views and the core; undefined when it may. */
  refusalOfCall(request: FastifyRequest, call: masterApi.Call): string | undefined {
    return this.#refusal(request, demandsOfCall(call));
  }

  #refusal(request: FastifyRequest, demands: ReturnType<typeof demandsOfCall>): string | undefined {
    const principal = this.principalOf(request);
    // Without an object everything of its kind would be shown, so every single one must be allowed.
    const refused = demands.find(({ action, object }) =>
      object === undefined
        ? !this.authorizer.allowsEvery({ action, principal })
        : !this.authorizer.allows({ action, principal, object }),
    );
    if (refused === undefined) return undefined;
    const { action, object } = refused;
    const what = action.toLowerCase().replaceAll('_', ' ');
    return `Not authorized to ${what}${object === undefined ? '' : ` '${object}'`}`;
  }
}

function realmsOf(config: ResolvedMasterConfig): ReadonlySet<Realm> {
  const realms = new Set<Realm>();
  if (config.authenticateHttpFrameworks) realms.add('mesos-master-scheduler');
  if (config.authenticateHttpReadonly) realms.add('mesos-master-readonly');
  if (config.authenticateHttpReadwrite) realms.add('mesos-master-readwrite');
  return realms;
}

function aclsOf(setting: string): Acls {
  const text = textOfSetting('ACLS_UNREADABLE', setting);
  try {
    return parseAcls(text);
  } catch (error) {
    throw new OperationError('ACLS_INVALID', errorText(error), { cause: error });
  }
}
