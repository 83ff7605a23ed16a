/**
 * The port to EC2: one call, by the name of the action. Everything that talks to EC2 does so through it, so that tests
 * count, refuse, delay and cut calls in one place. Inputs and outputs are those of the API, as the SDK types them.
 *
 * `call` rejects with an error whose code is EC2's (see `ec2Code`).
 */

import type {
  AllocateAddressRequest,
  AllocateAddressResult,
  AssociateAddressRequest,
  AssociateAddressResult,
  AssociateRouteTableRequest,
  AttachInternetGatewayRequest,
  AuthorizeSecurityGroupIngressRequest,
  CreateInternetGatewayRequest,
  CreateInternetGatewayResult,
  CreateRouteRequest,
  CreateRouteTableRequest,
  CreateRouteTableResult,
  CreateSecurityGroupRequest,
  CreateSecurityGroupResult,
  CreateSubnetRequest,
  CreateSubnetResult,
  CreateTagsRequest,
  CreateVpcRequest,
  CreateVpcResult,
  DeleteInternetGatewayRequest,
  DeleteKeyPairRequest,
  DeleteNetworkInterfaceRequest,
  DeleteRouteTableRequest,
  DeleteSecurityGroupRequest,
  DeleteSubnetRequest,
  DeleteVolumeRequest,
  DeleteVpcRequest,
  DescribeAddressesRequest,
  DescribeAddressesResult,
  DescribeAvailabilityZonesRequest,
  DescribeAvailabilityZonesResult,
  DescribeImagesRequest,
  DescribeImagesResult,
  DescribeInstancesRequest,
  DescribeInstancesResult,
  DescribeInstanceTypeOfferingsRequest,
  DescribeInstanceTypeOfferingsResult,
  DescribeInstanceTypesRequest,
  DescribeInstanceTypesResult,
  DescribeInternetGatewaysRequest,
  DescribeInternetGatewaysResult,
  DescribeKeyPairsRequest,
  DescribeKeyPairsResult,
  DescribeNetworkInterfacesRequest,
  DescribeNetworkInterfacesResult,
  DescribeRouteTablesRequest,
  DescribeRouteTablesResult,
  DescribeSecurityGroupsRequest,
  DescribeSecurityGroupsResult,
  DescribeSubnetsRequest,
  DescribeSubnetsResult,
  DescribeVolumesRequest,
  DescribeVolumesResult,
  DescribeVpcAttributeRequest,
  DescribeVpcAttributeResult,
  DescribeVpcsRequest,
  DescribeVpcsResult,
  DetachInternetGatewayRequest,
  DisassociateAddressRequest,
  DisassociateRouteTableRequest,
  ImportKeyPairRequest,
  ImportKeyPairResult,
  ModifyInstanceMetadataOptionsRequest,
  ModifyVpcAttributeRequest,
  ReleaseAddressRequest,
  ReplaceRouteRequest,
  Reservation,
  RevokeSecurityGroupIngressRequest,
  RunInstancesRequest,
  StartInstancesRequest,
  TerminateInstancesRequest,
} from '@aws-sdk/client-ec2';

/** Actions with what goes in and what comes out; `object` where nobody needs the answer. */
export interface Ec2Calls {
  AllocateAddress: [AllocateAddressRequest, AllocateAddressResult];
  AssociateAddress: [AssociateAddressRequest, AssociateAddressResult];
  AssociateRouteTable: [AssociateRouteTableRequest, object];
  AttachInternetGateway: [AttachInternetGatewayRequest, object];
  AuthorizeSecurityGroupIngress: [AuthorizeSecurityGroupIngressRequest, object];
  CreateInternetGateway: [CreateInternetGatewayRequest, CreateInternetGatewayResult];
  CreateRoute: [CreateRouteRequest, object];
  CreateRouteTable: [CreateRouteTableRequest, CreateRouteTableResult];
  CreateSecurityGroup: [CreateSecurityGroupRequest, CreateSecurityGroupResult];
  CreateSubnet: [CreateSubnetRequest, CreateSubnetResult];
  CreateTags: [CreateTagsRequest, object];
  CreateVpc: [CreateVpcRequest, CreateVpcResult];
  DeleteInternetGateway: [DeleteInternetGatewayRequest, object];
  DeleteKeyPair: [DeleteKeyPairRequest, object];
  DeleteNetworkInterface: [DeleteNetworkInterfaceRequest, object];
  DeleteRouteTable: [DeleteRouteTableRequest, object];
  DeleteSecurityGroup: [DeleteSecurityGroupRequest, object];
  DeleteSubnet: [DeleteSubnetRequest, object];
  DeleteVolume: [DeleteVolumeRequest, object];
  DeleteVpc: [DeleteVpcRequest, object];
  DescribeAddresses: [DescribeAddressesRequest, DescribeAddressesResult];
  DescribeAvailabilityZones: [DescribeAvailabilityZonesRequest, DescribeAvailabilityZonesResult];
  DescribeImages: [DescribeImagesRequest, DescribeImagesResult];
  DescribeInstances: [DescribeInstancesRequest, DescribeInstancesResult];
  DescribeInstanceTypeOfferings: [
    DescribeInstanceTypeOfferingsRequest,
    DescribeInstanceTypeOfferingsResult,
  ];
  DescribeInstanceTypes: [DescribeInstanceTypesRequest, DescribeInstanceTypesResult];
  DescribeInternetGateways: [DescribeInternetGatewaysRequest, DescribeInternetGatewaysResult];
  DescribeKeyPairs: [DescribeKeyPairsRequest, DescribeKeyPairsResult];
  DescribeNetworkInterfaces: [DescribeNetworkInterfacesRequest, DescribeNetworkInterfacesResult];
  DescribeRouteTables: [DescribeRouteTablesRequest, DescribeRouteTablesResult];
  DescribeSecurityGroups: [DescribeSecurityGroupsRequest, DescribeSecurityGroupsResult];
  DescribeSubnets: [DescribeSubnetsRequest, DescribeSubnetsResult];
  DescribeVolumes: [DescribeVolumesRequest, DescribeVolumesResult];
  DescribeVpcAttribute: [DescribeVpcAttributeRequest, DescribeVpcAttributeResult];
  DescribeVpcs: [DescribeVpcsRequest, DescribeVpcsResult];
  DetachInternetGateway: [DetachInternetGatewayRequest, object];
  DisassociateAddress: [DisassociateAddressRequest, object];
  DisassociateRouteTable: [DisassociateRouteTableRequest, object];
  ImportKeyPair: [ImportKeyPairRequest, ImportKeyPairResult];
  ModifyInstanceMetadataOptions: [ModifyInstanceMetadataOptionsRequest, object];
  ModifyVpcAttribute: [ModifyVpcAttributeRequest, object];
  ReleaseAddress: [ReleaseAddressRequest, object];
  ReplaceRoute: [ReplaceRouteRequest, object];
  RevokeSecurityGroupIngress: [RevokeSecurityGroupIngressRequest, object];
  RunInstances: [RunInstancesRequest, Reservation];
  StartInstances: [StartInstancesRequest, object];
  TerminateInstances: [TerminateInstancesRequest, object];
}

export type Ec2Action = keyof Ec2Calls;

export interface Ec2 {
  call<A extends Ec2Action>(action: A, input: Ec2Calls[A][0]): Promise<Ec2Calls[A][1]>;
}
