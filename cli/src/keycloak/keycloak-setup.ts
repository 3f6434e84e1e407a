import type KeycloakAdminClient from '@keycloak/keycloak-admin-client';
import type ClientRepresentation from '@keycloak/keycloak-admin-client/lib/defs/clientRepresentation.js';
import type MappingsRepresentation from '@keycloak/keycloak-admin-client/lib/defs/mappingsRepresentation.js';
import type RoleRepresentation from '@keycloak/keycloak-admin-client/lib/defs/roleRepresentation.js';
import type { RoleMappingPayload } from '@keycloak/keycloak-admin-client/lib/defs/roleRepresentation.js';
import { claimsOf, clientToken } from '../client-token.js';
import { CommandError } from '../command-error.js';
import { asCommandError } from './keycloak-login.js';
import type { KeycloakLogin } from './keycloak-login.js';
import {
  audienceMapper,
  audienceMapperChanges,
  clientChanges,
  findAudienceMapper,
  newClient,
  TOKEN_SCOPES,
  tokenProblems,
} from './webhook-client.js';

export interface KeycloakSetupSettings {
  realm: string;
  createRealm: boolean;
  /** Undefined for the one of `USUAL_CLIENTS` that is there. */
  clientId: string | undefined;
  webhookRole: string;
  adminRole: string;
  audience: string;
  /** What the client's secret shall be; undefined leaves that to Keycloak. */
  secret: string | undefined;
  rotateSecret: boolean;
  /** Only say what would be done. */
  dryRun: boolean;
}

/** One of the things that have to be there, and what was done, or would be, for it. */
export interface SetupStep {
  what: string;
  state: 'ok' | 'created' | 'changed';
  changes: string[];
}

export interface SetupOutcome {
  steps: SetupStep[];
  clientId: string;
  /** What is as it was left, and should not be; a sentence each. */
  warnings: string[];
  /** The client's secret, whether it was made now or before; a dry run tells none. */
  secret: string | undefined;
}

type KnownClient = ClientRepresentation & { id: string };

/** What the administrators' guide calls the client, and what Renku's own script does: the first that is there is kept. */
const USUAL_CLIENTS = ['alertmanager', 'alertmanager-webhook'] as const;

/**
 * Makes a realm ready for Alertmanager's webhook, and changes only what is not so yet: run again, it changes
 * nothing.
 */
export class KeycloakSetup {
  private readonly steps: SetupStep[] = [];
  private clientId: string;
  private readonly admin: KeycloakAdminClient;
  private readonly realm: string;

  /** @param report hears of each step when it is done */
  constructor(
    private readonly keycloak: KeycloakLogin,
    private readonly settings: KeycloakSetupSettings,
    private readonly report: (step: SetupStep) => void = () => undefined,
  ) {
    this.admin = keycloak.admin;
    this.realm = settings.realm;
    this.clientId = settings.clientId ?? USUAL_CLIENTS[0];
  }

  /**
   * Does what is to be done.
   * @throws CommandError, UnreachableError
   */
  async run(): Promise<SetupOutcome> {
    try {
      return await this.setUp();
    } catch (error) {
      throw asCommandError(error);
    }
  }

  /**
   * Looks at all of it together, as Alertmanager will use it.
   * @returns the issuer as it stands in the client's tokens
   * @throws CommandError, UnreachableError
   */
  async checkToken(clientSecret: string): Promise<string> {
    const { webhookRole, audience } = this.settings;
    const { clientId } = this;
    const tokenUrl = `${this.keycloak.baseUrl}/realms/${encodeURIComponent(this.realm)}/protocol/openid-connect/token`;
    const claims = claimsOf(await clientToken(tokenUrl, { clientId, clientSecret }));
    const problems = tokenProblems(claims, { role: webhookRole, audience });
    if (problems.length > 0) {
      throw new CommandError(`All is set, yet a token of ${clientId} opens nothing: ${problems.join('; ')}.`);
    }
    this.add({ what: 'access token with role and audience', state: 'ok', changes: [] });
    return String(claims['iss']);
  }

  /** Of what a dry run has not made, nothing can be asked: it is undefined in what follows. */
  private async setUp(): Promise<SetupOutcome> {
    const { webhookRole, adminRole } = this.settings;
    const isThere = await this.ensureRealm();
    const role = await this.ensureRole(webhookRole, { isThere, isComposite: false });
    await this.ensureRole(adminRole, { isThere, isComposite: true });
    const warnings = isThere ? await this.chooseClient() : [];
    const before = isThere ? await this.findClient() : undefined;
    const client = await this.ensureClient(before);
    await this.ensureAudience(client);
    await this.ensureScope(client, role);
    await this.ensureServiceAccount(client, role);
    const secret = await this.ensureSecret(client, before === undefined);
    return { steps: this.steps, clientId: this.clientId, warnings, secret };
  }

  /** Whether the realm is there now. */
  private async ensureRealm(): Promise<boolean> {
    const { realm } = this;
    const found = (await this.admin.realms.findOne({ realm })) ?? undefined;
    if (found?.enabled === false) {
      throw new CommandError(`The realm ${realm} is disabled: enable it, and run this again.`);
    }
    if (!found && !this.settings.createRealm) {
      throw new CommandError(
        `There is no realm ${realm}: give the right one by --realm, or --create-realm to have it made.`,
      );
    }
    await this.ensure(`realm ${realm}`, found, () => this.admin.realms.create({ realm, enabled: true }));
    return found !== undefined || !this.settings.dryRun;
  }

  /** A role that may not be composite opens nothing but what it is for. */
  private async ensureRole(
    name: string,
    { isThere, isComposite }: { isThere: boolean; isComposite: boolean },
  ): Promise<RoleMappingPayload | undefined> {
    const found = isThere ? await this.findRole(name) : undefined;
    const { id } = found ?? {};
    const behind =
      !isComposite && id !== undefined && found?.composite === true
        ? await this.admin.roles.getCompositeRoles({ realm: this.realm, id })
        : [];
    await this.ensure(`role ${name}`, found, () => this.admin.roles.create({ realm: this.realm, name }), {
      changes: behind.map((role) => `no longer brings ${role.name}`),
      change: () => this.admin.roles.delCompositeRoles({ realm: this.realm, id: id ?? '' }, behind),
    });
    return found ?? (isThere && !this.settings.dryRun ? this.findRole(name) : undefined);
  }

  private async findRole(name: string): Promise<RoleMappingPayload | undefined> {
    const role = (await this.admin.roles.findOneByName({ realm: this.realm, name })) ?? undefined;
    return role as RoleMappingPayload | undefined;
  }

  private async findClient(clientId = this.clientId): Promise<KnownClient | undefined> {
    const [client] = await this.admin.clients.find({ realm: this.realm, clientId });
    return client as KnownClient | undefined;
  }

  /**
   * Takes the client that is there under one of the usual names, where none is given: of both, the one with the role.
   * @returns a warning where another one could post as well
   */
  private async chooseClient(): Promise<string[]> {
    const there: { clientId: string; mayPost: boolean }[] = [];
    for (const clientId of USUAL_CLIENTS) {
      const client = await this.findClient(clientId);
      if (client) there.push({ clientId, mayPost: await this.mayPost(client) });
    }
    const found = there.find(({ mayPost }) => mayPost) ?? there[0];
    this.clientId = this.settings.clientId ?? found?.clientId ?? this.clientId;
    return there
      .filter(({ clientId, mayPost }) => mayPost && clientId !== this.clientId)
      .map(
        ({ clientId }) =>
          `The client ${clientId} may post webhooks as well: where nothing posts as it any more, delete it; where that is the one to keep, run this with --client-id ${clientId}.`,
      );
  }

  private async mayPost({ id, serviceAccountsEnabled }: KnownClient): Promise<boolean> {
    if (serviceAccountsEnabled !== true) return false;
    const { realm } = this;
    const account = await this.admin.clients.getServiceAccountUser({ realm, id });
    const { realmMappings = [] } = await this.admin.users.listRoleMappings({ realm, id: account.id ?? '' });
    return realmMappings.some(({ name }) => name === this.settings.webhookRole);
  }

  private async ensureClient(found: KnownClient | undefined): Promise<KnownClient | undefined> {
    const { realm } = this;
    const { secret, dryRun } = this.settings;
    const { clientId } = this;
    const scopes = found || !dryRun ? await this.admin.clientScopes.find({ realm }) : [];
    const wanted = scopes.filter(({ name = '' }) => TOKEN_SCOPES.includes(name));
    const missing = found ? wanted.filter(({ name = '' }) => !found.defaultClientScopes?.includes(name)) : [];
    const { changes, changed } = found ? clientChanges(found) : { changes: [], changed: {} };
    await this.ensure(
      `client ${clientId}`,
      found,
      () =>
        this.admin.clients.create({
          realm,
          ...newClient(
            clientId,
            wanted.map(({ name = '' }) => name),
            secret,
          ),
        }),
      {
        changes: [...changes, ...missing.map(({ name }) => `default scope ${name}: added`)],
        change: async () => {
          const { id = '' } = found ?? {};
          if (changes.length > 0) await this.admin.clients.update({ realm, id }, changed);
          for (const { id: clientScopeId = '', name = '' } of missing) {
            if (found?.optionalClientScopes?.includes(name)) {
              await this.admin.clients.delOptionalClientScope({ realm, id, clientScopeId });
            }
            await this.admin.clients.addDefaultClientScope({ realm, id, clientScopeId });
          }
        },
      },
    );
    return dryRun ? found : this.findClient();
  }

  private async ensureAudience(client: KnownClient | undefined): Promise<void> {
    const { realm } = this;
    const { audience } = this.settings;
    const id = client?.id ?? '';
    const found = findAudienceMapper(client?.protocolMappers ?? [], audience);
    const { changes, config } = found ? audienceMapperChanges(found) : { changes: [], config: {} };
    await this.ensure(
      `audience ${audience} in its access tokens`,
      found,
      () => this.admin.clients.addProtocolMapper({ realm, id }, audienceMapper(audience)),
      {
        changes,
        change: () =>
          this.admin.clients.updateProtocolMapper(
            { realm, id, mapperId: found?.id ?? '' },
            { ...found, config },
          ),
      },
    );
  }

  /** Which roles the client's tokens may carry, whatever its service account has. */
  private async ensureScope(
    client: KnownClient | undefined,
    role: RoleMappingPayload | undefined,
  ): Promise<void> {
    const { realm } = this;
    const { webhookRole } = this.settings;
    const id = client?.id ?? '';
    const mappings = client ? await this.admin.clients.listScopeMappings({ realm, id }) : {};
    const { found, foreign, changes } = this.compare(mappings, 'no longer in its scope');
    await this.ensure(
      `role ${webhookRole} in its scope`,
      found,
      () => this.admin.clients.addRealmScopeMappings({ realm, id }, role ? [role] : []),
      {
        changes,
        change: async () => {
          if (foreign.realm.length > 0)
            await this.admin.clients.delRealmScopeMappings({ realm, id }, foreign.realm);
          for (const { client: other, roles } of foreign.clients) {
            await this.admin.clients.delClientScopeMappings({ realm, id, client: other }, roles);
          }
        },
      },
    );
  }

  /** The service account has the one role; Keycloak gives it those of every user too. */
  private async ensureServiceAccount(
    client: KnownClient | undefined,
    role: RoleMappingPayload | undefined,
  ): Promise<void> {
    const { realm } = this;
    const { webhookRole } = this.settings;
    const account =
      client?.serviceAccountsEnabled === true
        ? await this.admin.clients.getServiceAccountUser({ realm, id: client.id })
        : undefined;
    const id = account?.id ?? '';
    const mappings = account ? await this.admin.users.listRoleMappings({ realm, id }) : {};
    const { found, foreign, changes } = this.compare(mappings, 'taken from it');
    await this.ensure(
      `role ${webhookRole} of its service account, and no other`,
      found,
      () => this.admin.users.addRealmRoleMappings({ realm, id, roles: role ? [role] : [] }),
      {
        changes,
        change: async () => {
          if (foreign.realm.length > 0) {
            await this.admin.users.delRealmRoleMappings({ realm, id, roles: foreign.realm });
          }
          for (const { client: clientUniqueId, roles } of foreign.clients) {
            await this.admin.users.delClientRoleMappings({ realm, id, clientUniqueId, roles });
          }
        },
      },
    );
  }

  /** The webhook's role among mappings, and all that are not it. */
  private compare(
    { realmMappings = [], clientMappings = {} }: MappingsRepresentation,
    what: string,
  ): {
    found: RoleRepresentation | undefined;
    foreign: { realm: RoleMappingPayload[]; clients: { client: string; roles: RoleMappingPayload[] }[] };
    changes: string[];
  } {
    const { webhookRole } = this.settings;
    const realm = realmMappings.filter(({ name }) => name !== webhookRole) as RoleMappingPayload[];
    const byClient = Object.values(
      clientMappings as Record<string, { id: string; mappings: RoleMappingPayload[] }>,
    );
    const clients = byClient.map(({ id, mappings }) => ({ client: id, roles: mappings }));
    const names = [...realm, ...clients.flatMap(({ roles }) => roles)].map(({ name }) => name);
    return {
      found: realmMappings.find(({ name }) => name === webhookRole),
      foreign: { realm, clients },
      changes: names.map((name) => `role ${name}: ${what}`),
    };
  }

  private async ensureSecret(client: KnownClient | undefined, isNew: boolean): Promise<string | undefined> {
    const { realm } = this;
    const { secret, rotateSecret, dryRun } = this.settings;
    const id = client?.id ?? '';
    const current = client && (await this.admin.clients.getClientSecret({ realm, id })).value;
    // A client that had none so far got none by the change.
    const isMissing = isNew || current === undefined;
    const differs = secret !== undefined && secret !== current;
    const generate = async (): Promise<void> => {
      await this.admin.clients.generateNewClientSecret({ realm, id });
    };
    const set = async (): Promise<void> => {
      // As it is by now, with what the steps before have added.
      await this.admin.clients.update({ realm, id }, { ...(await this.findClient()), secret: secret ?? '' });
    };
    await this.ensure(
      'client secret',
      isMissing ? undefined : client,
      async () => {
        if (differs) await set();
        else if (current === undefined) await generate();
      },
      {
        changes: rotateSecret ? ['a new one'] : differs ? ['the given one'] : [],
        change: () => (rotateSecret ? generate() : set()),
      },
    );
    if (dryRun) return undefined;
    return (await this.admin.clients.getClientSecret({ realm, id })).value;
  }

  /** Creates what is not there, then changes what is not as it should be, and tells which. */
  private async ensure(
    what: string,
    found: object | undefined,
    create: () => Promise<unknown>,
    { changes, change }: { changes: string[]; change: () => Promise<unknown> } = {
      changes: [],
      change: () => Promise.resolve(),
    },
  ): Promise<void> {
    const { dryRun } = this.settings;
    if (!found && !dryRun) await create();
    if (changes.length > 0 && !dryRun) await change();
    this.add({ what, state: !found ? 'created' : changes.length > 0 ? 'changed' : 'ok', changes });
  }

  private add(step: SetupStep): void {
    this.steps.push(step);
    this.report(step);
  }
}
