/** What a person can do about an answer of EC2 that no repetition will change. */

const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /^UnauthorizedOperation$/,
    'the account lacks a permission: docs/operations/aws.md has the policy that the installer needs',
  ],
  [
    /^(AuthFailure|InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClientException|CredentialsProviderError)$/,
    'check the credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID) and the clock of this machine',
  ],
  [/^(RequestExpired|RequestTimeTooSkewed)$/, 'the clock of this machine is wrong: set it'],
  [/^OptInRequired$/, 'accept the terms of the image in the AWS Marketplace, or use another image'],
  [
    /^VpcLimitExceeded$/,
    'the region has as many networks as the account may have: use an existing one (aws.vpc.id), or ask for a higher quota',
  ],
  [
    /^(VcpuLimitExceeded|InstanceLimitExceeded|MaxSpotInstanceCountExceeded)$/,
    'the account may not have that many hosts of this type: ask for a higher quota, or use fewer or smaller ones',
  ],
  [
    /^AddressLimitExceeded$/,
    'the account may not have more elastic addresses: ask for a higher quota, or set elasticAddress to false',
  ],
  [/^VolumeLimitExceeded$/, 'the account may not have more disk: ask for a higher quota'],
  [
    /^Unsupported/,
    'this type of instance is not offered like this in the zone: use other zones or another type',
  ],
  [/^InvalidAMIID/, 'the image does not exist in this region: check aws.image'],
  [
    /^InvalidKeyPair\.NotFound$/,
    'the key pair does not exist in this region: check aws.keyPair.name',
  ],
  [
    /^(InvalidVpcID\.NotFound|InvalidVpcID\.Malformed)$/,
    'the network does not exist in this region: check aws.vpc.id and aws.region',
  ],
  [
    /^(DependencyViolation|InvalidGroup\.InUse|IncorrectState)$/,
    'something that is not of this cluster uses it: remove that, then run this again',
  ],
  [
    /^InvalidGroup\.Duplicate$|^InvalidKeyPair\.Duplicate$|^InvalidSubnet\.Conflict$/,
    'something of the same name or range exists without the tag of this cluster: rename the cluster or remove it',
  ],
];

/** A sentence, or undefined when there is nothing better than what EC2 says itself. */
export function remedyFor(code: string): string | undefined {
  return REMEDIES.find(([pattern]) => pattern.test(code))?.[1];
}
