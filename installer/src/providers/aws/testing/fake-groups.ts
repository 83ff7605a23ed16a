/** Security groups, keys and tags of the EC2 in memory. */

import type { IpPermission } from '@aws-sdk/client-ec2';
import type { Handlers } from './fake-network.ts';
import { tagsOf, type FakeResource, type FakeState } from './fake-state.ts';

/** Every action on groups and keys, and CreateTags. */
export function groups(
  state: FakeState,
): Pick<
  Handlers,
  | 'CreateSecurityGroup'
  | 'DeleteSecurityGroup'
  | 'AuthorizeSecurityGroupIngress'
  | 'RevokeSecurityGroupIngress'
  | 'DescribeSecurityGroups'
  | 'ImportKeyPair'
  | 'DeleteKeyPair'
  | 'DescribeKeyPairs'
  | 'CreateTags'
> {
  const refersTo = (group: FakeResource, id: string): boolean =>
    (group.data.permissions ?? []).some((one) => one.UserIdGroupPairs?.[0]?.GroupId === id);
  return {
    CreateSecurityGroup: ({ GroupName: name = '', VpcId, TagSpecifications }) => {
      const vpcId = state.get('vpc', VpcId).id;
      const isTaken = state
        .all('sg')
        .some((one) => one.data.vpcId === vpcId && one.data.name === name);
      state.refuseWhile(isTaken, 'InvalidGroup.Duplicate');
      return { GroupId: state.add('sg', { vpcId, name, permissions: [] }, TagSpecifications).id };
    },
    DeleteSecurityGroup: ({ GroupId }) => {
      const { id } = state.get('sg', GroupId);
      state.refuseWhile(state.all('sg').some((one) => one.id !== id && refersTo(one, id)));
      const isUsed = state
        .all('i')
        .some((one) => one.data.groupIds?.includes(id) && one.data.state !== 'terminated');
      state.refuseWhile(isUsed);
      state.resources.delete(id);
      return {};
    },
    AuthorizeSecurityGroupIngress: ({ GroupId, IpPermissions = [] }) => {
      const { data } = state.get('sg', GroupId);
      for (const one of IpPermissions) {
        const source = one.UserIdGroupPairs?.[0]?.GroupId;
        if (source !== undefined) state.get('sg', source);
      }
      const there = new Set((data.permissions ?? []).map(permissionKey));
      const isThere = IpPermissions.some((one) => there.has(permissionKey(one)));
      state.refuseWhile(isThere, 'InvalidPermission.Duplicate');
      data.permissions = [...(data.permissions ?? []), ...IpPermissions];
      return {};
    },
    RevokeSecurityGroupIngress: ({ GroupId, IpPermissions = [] }) => {
      const { data } = state.get('sg', GroupId);
      const taken = new Set(IpPermissions.map(permissionKey));
      const left = (data.permissions ?? []).filter((one) => !taken.has(permissionKey(one)));
      const isThere = left.length < (data.permissions ?? []).length;
      state.refuseWhile(!isThere, 'InvalidPermission.NotFound');
      data.permissions = left;
      return {};
    },
    DescribeSecurityGroups: ({ Filters, NextToken }) => {
      const { items, next } = state.page(state.select('sg', Filters), NextToken);
      const SecurityGroups = items.map((one) => ({
        GroupId: one.id,
        VpcId: one.data.vpcId,
        IpPermissions: one.data.permissions,
        Tags: tagsOf(one),
      }));
      return { SecurityGroups, NextToken: next };
    },
    ImportKeyPair: ({ KeyName: name = '', TagSpecifications }) => {
      const isTaken = state.all('key').some((one) => one.data.name === name);
      state.refuseWhile(isTaken, 'InvalidKeyPair.Duplicate');
      return { KeyPairId: state.add('key', { name }, TagSpecifications).id };
    },
    DeleteKeyPair: ({ KeyName }) => {
      for (const one of state.all('key')) {
        if (one.data.name === KeyName) state.resources.delete(one.id);
      }
      return {};
    },
    DescribeKeyPairs: ({ Filters }) => ({
      KeyPairs: state
        .select('key', Filters)
        .map((one) => ({ KeyPairId: one.id, KeyName: one.data.name, Tags: tagsOf(one) })),
    }),
    CreateTags: ({ Resources = [], Tags = [] }) => {
      for (const id of Resources) {
        const resource = state.resources.get(id);
        for (const { Key = '', Value = '' } of Tags) resource?.tags.set(Key, Value);
      }
      return {};
    },
  };
}

function permissionKey({ IpProtocol, FromPort, ToPort, ...source }: IpPermission): string {
  const from = source.UserIdGroupPairs?.[0]?.GroupId ?? source.IpRanges?.[0]?.CidrIp;
  return `${IpProtocol} ${FromPort} ${ToPort} ${from}`;
}
