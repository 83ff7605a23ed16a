/**
 * What an EC2 in memory holds. It is as strict as the real one about what depends on what, and as forgetful: what was just
 * made may stay unknown for some calls, lists come in pages of any length, hosts take their time to start and to end.
 */

import type { Filter, IpPermission, Tag, TagSpecification } from '@aws-sdk/client-ec2';

/** An error as the SDK throws it: EC2's code is its name. */
export class Ec2Error extends Error {
  constructor(code: string, message = code) {
    super(message);
    this.name = code;
  }
}

export type FakeKind =
  | 'vpc'
  | 'igw'
  | 'rtb'
  | 'subnet'
  | 'sg'
  | 'key'
  | 'i'
  | 'eipalloc'
  | 'vol'
  | 'eni';

export interface FakeResource {
  readonly id: string;
  readonly kind: FakeKind;
  readonly tags: Map<string, string>;
  /** Known everywhere from this call on. */
  readonly visibleAt: number;
  /** Whatever the kind needs. */
  readonly data: FakeData;
}

export interface FakeData {
  vpcId?: string;
  cidr?: string;
  zone?: string;
  name?: string;
  dnsSupport?: boolean;
  dnsHostnames?: boolean;
  attachedTo?: string | undefined;
  defaultGateway?: string;
  associations?: Map<string, string>;
  permissions?: IpPermission[];
  token?: string;
  /** The request that made it, to tell whether another one is the same. */
  request?: string;
  state?: string;
  /** Looks after which the state is the next one. */
  looksLeft?: number;
  subnetId?: string;
  groupIds?: readonly string[];
  type?: string;
  privateAddress?: string;
  publicAddress?: string;
  httpTokens?: string;
  userData?: string;
  isEncrypted?: boolean;
  instanceId?: string | undefined;
  associationId?: string | undefined;
}

export interface FakeFaults {
  /** For how many calls what was made is not known. */
  hiddenForCalls: number;
  /** Items of a page; every second page is empty then. */
  pageItems: number | undefined;
  /** Whether a zone has room for a type. */
  hasCapacity: (zone: string, type: string) => boolean;
  /** Looks at an instance until it runs, and until it has ended. */
  looksUntilChange: number;
}

const NOT_FOUND: Readonly<Record<FakeKind, string>> = {
  vpc: 'InvalidVpcID.NotFound',
  igw: 'InvalidInternetGatewayID.NotFound',
  rtb: 'InvalidRouteTableID.NotFound',
  subnet: 'InvalidSubnetID.NotFound',
  sg: 'InvalidGroup.NotFound',
  key: 'InvalidKeyPair.NotFound',
  i: 'InvalidInstanceID.NotFound',
  eipalloc: 'InvalidAllocationID.NotFound',
  vol: 'InvalidVolume.NotFound',
  eni: 'InvalidNetworkInterfaceID.NotFound',
};

export class FakeState {
  readonly resources = new Map<string, FakeResource>();
  readonly faults: FakeFaults = {
    hiddenForCalls: 0,
    pageItems: undefined,
    hasCapacity: () => true,
    looksUntilChange: 2,
  };
  callCount = 0;
  #serial = 0;

  /** A new one, with the tags of its kind. */
  add(kind: FakeKind, data: FakeData, tagged: readonly TagSpecification[] = []): FakeResource {
    const id = `${kind}-${this.nextSerial().toString(16).padStart(17, '0')}`;
    const list = tagged.flatMap((one) =>
      TYPE_KINDS[one.ResourceType ?? ''] === kind ? one.Tags : [],
    );
    const resource: FakeResource = {
      id,
      kind,
      tags: new Map((list ?? []).map((tag) => [tag?.Key ?? '', tag?.Value ?? ''])),
      visibleAt: this.callCount + this.faults.hiddenForCalls,
      data,
    };
    this.resources.set(id, resource);
    return resource;
  }

  nextSerial(): number {
    return ++this.#serial;
  }

  /** Also what is not known everywhere yet: EC2 itself knows it when names and ranges clash. */
  all(kind: FakeKind): readonly FakeResource[] {
    return [...this.resources.values()].filter((one) => one.kind === kind);
  }

  isVisible(resource: FakeResource): boolean {
    return this.callCount > resource.visibleAt || resource.visibleAt === 0;
  }

  /** One by id, or EC2's error. */
  get(kind: FakeKind, id: string | undefined): FakeResource {
    const resource = this.resources.get(id ?? '');
    if (resource === undefined || resource.kind !== kind || !this.isVisible(resource)) {
      throw new Ec2Error(NOT_FOUND[kind], `${id} does not exist`);
    }
    return resource;
  }

  /** Those of a kind that filters name, as far as they are known. */
  select(kind: FakeKind, filters: readonly Filter[] = []): readonly FakeResource[] {
    return this.all(kind).filter(
      (one) => this.isVisible(one) && filters.every((filter) => fits(one, filter)),
    );
  }

  /** One page, and the token of the next one. */
  page<T>(
    items: readonly T[],
    token: string | undefined,
  ): { readonly items: T[]; readonly next?: string } {
    const { pageItems } = this.faults;
    if (pageItems === undefined) return { items: [...items] };
    const page = Number(token ?? '0');
    // Pages with odd numbers are empty, and not the end.
    if (page % 2 === 1) return { items: [], next: String(page + 1) };
    const start = (page / 2) * pageItems;
    const isLast = start + pageItems >= items.length;
    return {
      items: items.slice(start, start + pageItems),
      ...(!isLast && { next: String(page + 1) }),
    };
  }

  /** Refuses while something depends on it. */
  refuseWhile(isInUse: boolean, code = 'DependencyViolation'): void {
    if (isInUse) throw new Ec2Error(code);
  }
}

const TYPE_KINDS: Readonly<Record<string, FakeKind>> = {
  vpc: 'vpc',
  'internet-gateway': 'igw',
  'route-table': 'rtb',
  subnet: 'subnet',
  'security-group': 'sg',
  'key-pair': 'key',
  instance: 'i',
  'elastic-ip': 'eipalloc',
  volume: 'vol',
  'network-interface': 'eni',
};

function fits({ id, tags, data }: FakeResource, { Name = '', Values = [] }: Filter): boolean {
  if (Name.startsWith('tag:')) return Values.includes(tags.get(Name.slice('tag:'.length)) ?? '\0');
  if (Name === 'client-token') return Values.includes(data.token ?? '');
  if (Name === 'instance-id' || Name === 'subnet-id') return Values.includes(id);
  throw new Error(`the fake has no filter ${Name}`);
}

/** Tags as a list. */
export function tagsOf({ tags }: FakeResource): Tag[] {
  return [...tags].map(([Key, Value]) => ({ Key, Value }));
}
