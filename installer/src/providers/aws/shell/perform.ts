/** One action of a plan as requests to EC2. Removing what is gone is done already. */

import { present, unreachable } from '@dcos/base';
import { classifyFailure } from '../core/backoff.ts';
import type { Action, CreateAction, DeleteAction, ModifyAction } from '../core/action.ts';
import {
  displayName,
  groupName,
  TAG_FINGERPRINT,
  TAG_ROLE,
  tagsOf,
  type Tags,
} from '../core/names.ts';
import { createInstance } from './create-instance.ts';
import type { Ec2, Ec2Action, Ec2Calls } from './ec2.ts';
import { tagList, tagSpecification, toFoundPermissions, toPermissions } from './ec2-input.ts';
import { refusalCode } from './retrying-ec2.ts';
import type { RunContext } from './run-context.ts';

export interface PerformDeps {
  readonly ec2: Ec2;
  readonly context: RunContext;
  readonly cluster: string;
  /** The operator's. */
  readonly tags: Tags;
  /** Ids by logical name, of what exists; what is made is added. */
  readonly ids: Map<string, string>;
}

/** Carries it out; the id of what it made, if it made something. */
export async function perform(action: Action, deps: PerformDeps): Promise<string | undefined> {
  switch (action.kind) {
    case 'createVpc':
    case 'createGateway':
    case 'createRouteTable':
    case 'createSubnet':
    case 'createGroup':
    case 'importKey':
    case 'createInstance':
    case 'allocateAddress': {
      const id = present(await create(action, deps), `the id of ${action.kind}`);
      deps.ids.set(action.kind === 'createInstance' ? action.instance.name : action.name, id);
      return id;
    }
    case 'setVpcDns':
    case 'attachGateway':
    case 'createDefaultRoute':
    case 'associateRouteTable':
    case 'authorize':
    case 'revoke':
    case 'startInstance':
    case 'awaitRunning':
    case 'awaitTerminated':
    case 'needMetadataTokens':
    case 'associateAddress':
    case 'tag':
      await modify(action, deps);
      return undefined;
    default:
      await remove(action, deps.ec2);
      return undefined;
  }
}

async function create(action: CreateAction, deps: PerformDeps): Promise<string | undefined> {
  const { ec2, cluster } = deps;
  const tags = (name: string, own: Tags = {}): Tags => tagsOf(cluster, name, deps.tags, own);
  const id = (name: string): string => idOf(deps, name);
  switch (action.kind) {
    case 'createVpc': {
      const TagSpecifications = [tagSpecification('vpc', tags(action.name))];
      const made = await ec2.call('CreateVpc', { CidrBlock: action.cidr, TagSpecifications });
      return made.Vpc?.VpcId;
    }
    case 'createGateway': {
      const TagSpecifications = [tagSpecification('internet-gateway', tags(action.name))];
      const made = await ec2.call('CreateInternetGateway', { TagSpecifications });
      return made.InternetGateway?.InternetGatewayId;
    }
    case 'createRouteTable': {
      const TagSpecifications = [tagSpecification('route-table', tags(action.name))];
      const made = await ec2.call('CreateRouteTable', { VpcId: id(action.vpc), TagSpecifications });
      return made.RouteTable?.RouteTableId;
    }
    case 'createSubnet': {
      const made = await ec2.call('CreateSubnet', {
        VpcId: id(action.vpc),
        AvailabilityZone: action.zone,
        CidrBlock: action.cidr,
        TagSpecifications: [tagSpecification('subnet', tags(action.name))],
      });
      return made.Subnet?.SubnetId;
    }
    case 'createGroup': {
      const made = await ec2.call('CreateSecurityGroup', {
        VpcId: id(action.vpc),
        GroupName: displayName(cluster, action.name),
        Description: `Hosts of cluster ${cluster}: ${action.role}`,
        TagSpecifications: [
          tagSpecification('security-group', tags(action.name, { [TAG_ROLE]: action.role })),
        ],
      });
      return made.GroupId;
    }
    case 'importKey': {
      const own = { [TAG_FINGERPRINT]: action.fingerprint };
      const made = await ec2.call('ImportKeyPair', {
        KeyName: displayName(cluster, action.name),
        PublicKeyMaterial: Buffer.from(action.publicKey),
        TagSpecifications: [tagSpecification('key-pair', tags(action.name, own))],
      });
      return made.KeyPairId;
    }
    case 'createInstance': {
      const place = { cluster, tags: deps.tags, groupId: id(action.group) };
      return await createInstance(action, { ec2, context: deps.context, place, subnetIdOf: id });
    }
    case 'allocateAddress': {
      const TagSpecifications = [tagSpecification('elastic-ip', tags(action.name))];
      const made = await ec2.call('AllocateAddress', { Domain: 'vpc', TagSpecifications });
      return made.AllocationId;
    }
    default:
      return unreachable(action);
  }
}

async function modify(action: ModifyAction, deps: PerformDeps): Promise<void> {
  const { ec2 } = deps;
  const id = (name: string): string => idOf(deps, name);
  switch (action.kind) {
    case 'setVpcDns': {
      const on = { Value: true };
      await ec2.call('ModifyVpcAttribute', {
        VpcId: id(action.vpc),
        ...(action.attribute === 'support' ? { EnableDnsSupport: on } : { EnableDnsHostnames: on }),
      });
      return;
    }
    case 'attachGateway':
      await ec2.call('AttachInternetGateway', {
        InternetGatewayId: id(action.gateway),
        VpcId: id(action.vpc),
      });
      return;
    case 'createDefaultRoute':
      await ec2.call(action.replaces ? 'ReplaceRoute' : 'CreateRoute', {
        RouteTableId: id(action.routeTable),
        DestinationCidrBlock: '0.0.0.0/0',
        GatewayId: id(action.gateway),
      });
      return;
    case 'associateRouteTable':
      await ec2.call('AssociateRouteTable', {
        RouteTableId: id(action.routeTable),
        SubnetId: id(action.subnet),
      });
      return;
    case 'authorize': {
      const IpPermissions = toPermissions(action.rules, (role) => id(groupName(role)));
      const GroupId = id(action.group);
      await ec2.call('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions });
      return;
    }
    case 'revoke': {
      const IpPermissions = toFoundPermissions(action.rules);
      const GroupId = action.groupId;
      await gone(ec2, 'RevokeSecurityGroupIngress', { GroupId, IpPermissions });
      return;
    }
    case 'startInstance':
      await ec2.call('StartInstances', { InstanceIds: [action.id] });
      return;
    case 'awaitRunning':
    case 'awaitTerminated':
      // For all of a stage together, at its end.
      return;
    case 'needMetadataTokens':
      await ec2.call('ModifyInstanceMetadataOptions', {
        InstanceId: action.id,
        HttpTokens: 'required',
      });
      return;
    case 'associateAddress':
      await ec2.call('AssociateAddress', {
        AllocationId: id(action.address),
        InstanceId: id(action.instance),
        AllowReassociation: true,
      });
      return;
    case 'tag':
      await ec2.call('CreateTags', { Resources: [action.id], Tags: tagList(action.tags) });
      return;
    default:
      unreachable(action);
  }
}

async function remove(action: DeleteAction, ec2: Ec2): Promise<void> {
  const { id } = action;
  switch (action.kind) {
    case 'disassociateAddress':
      return await gone(ec2, 'DisassociateAddress', { AssociationId: id });
    case 'releaseAddress':
      return await gone(ec2, 'ReleaseAddress', { AllocationId: id });
    case 'terminateInstance':
      return await gone(ec2, 'TerminateInstances', { InstanceIds: [id] });
    case 'deleteVolume':
      return await gone(ec2, 'DeleteVolume', { VolumeId: id });
    case 'deleteInterface':
      return await gone(ec2, 'DeleteNetworkInterface', { NetworkInterfaceId: id });
    case 'deleteGroup':
      return await gone(ec2, 'DeleteSecurityGroup', { GroupId: id });
    case 'disassociateRouteTable':
      return await gone(ec2, 'DisassociateRouteTable', { AssociationId: id });
    case 'deleteRouteTable':
      return await gone(ec2, 'DeleteRouteTable', { RouteTableId: id });
    case 'detachGateway':
      return await gone(ec2, 'DetachInternetGateway', {
        InternetGatewayId: id,
        VpcId: action.vpcId,
      });
    case 'deleteGateway':
      return await gone(ec2, 'DeleteInternetGateway', { InternetGatewayId: id });
    case 'deleteSubnet':
      return await gone(ec2, 'DeleteSubnet', { SubnetId: id });
    case 'deleteVpc':
      return await gone(ec2, 'DeleteVpc', { VpcId: id });
    case 'deleteKey':
      return await gone(ec2, 'DeleteKeyPair', { KeyName: action.keyName });
    default:
      return unreachable(action);
  }
}

/** A removal; that it is not there is what was wanted. */
async function gone<A extends Ec2Action>(
  ec2: Ec2,
  action: A,
  input: Ec2Calls[A][0],
): Promise<void> {
  try {
    await ec2.call(action, input);
  } catch (error) {
    if (classifyFailure(refusalCode(error)) !== 'notFound') throw error;
  }
}

function idOf(deps: PerformDeps, name: string): string {
  return present(deps.ids.get(name), `the id of ${name}`);
}
