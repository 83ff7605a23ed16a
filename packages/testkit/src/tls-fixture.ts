/**
 * Keys and certificates for 127.0.0.1 that nobody trusts, for tests. Worth nothing elsewhere. A certificate is its own
 * authority.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const testKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgR7l0w7w33ocibS0l
uydTn8j/6NfFgmJaASAtfis3X9ehRANCAAQxAnku9N7c2JQBppdSAh1IsofYNT/v
tAX0clxXGtUdTZickdNiGZepVElFQ0+FVhvTkaGycmLKoPRk6C2obsUv
-----END PRIVATE KEY-----
`;

export const testCertificate = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUaAV4PLve0UQOujlMJIxtTF+MoiIwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMDE0NDA0MVoYDzIxMjYxMDI3
MTQ0MDQxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQxAnku9N7c2JQBppdSAh1IsofYNT/vtAX0clxXGtUdTZickdNiGZep
VElFQ0+FVhvTkaGycmLKoPRk6C2obsUvo28wbTAdBgNVHQ4EFgQU9h3umAQb0Zpc
CFr0XPbL63uSEbIwHwYDVR0jBBgwFoAU9h3umAQb0ZpcCFr0XPbL63uSEbIwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZI
zj0EAwIDSAAwRQIhAK0U0G9OTm721KB3gnVM9OssOfRGnqEv+MYguDH7GRRZAiAb
lTJODwdmzQ6xzo5z+1cscl6SIsevBzk9zU2iBOjmPA==
-----END CERTIFICATE-----
`;

/** Of somebody else. */
export const strangersKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgU1IOhnfc+xEIAuMD
/uQBJvHIcHX3YszhJMzGlBGxRXGhRANCAATZ+cZCIAvN32zNSvsC4+yF+fT25D8B
WCHRMZTmJLy3UbapU5cN6UAvnF/CpKyrekZshYE17TskHlgyYL2/q89g
-----END PRIVATE KEY-----
`;

export const strangersCertificate = `-----BEGIN CERTIFICATE-----
MIIBmTCCAT+gAwIBAgIUGS53muxOiNurgupEYz4fjrOQShUwCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwIc3RyYW5nZXIwIBcNMjYxMTI3MTg1NDEyWhgPMjEyNjExMDMx
ODU0MTJaMBMxETAPBgNVBAMMCHN0cmFuZ2VyMFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAE2fnGQiALzd9szUr7AuPshfn09uQ/AVgh0TGU5iS8t1G2qVOXDelAL5xf
wqSsq3pGbIWBNe07JB5YMmC9v6vPYKNvMG0wHQYDVR0OBBYEFKJUnWZpXzJBmqci
5RfmWD+vLWeaMB8GA1UdIwQYMBaAFKJUnWZpXzJBmqci5RfmWD+vLWeaMA8GA1Ud
EwEB/wQFMAMBAf8wGgYDVR0RBBMwEYcEfwAAAYIJbG9jYWxob3N0MAoGCCqGSM49
BAMCA0gAMEUCIQCHqF/o0RVHi4qerp0HeG27FEz2tcnvPe46KQKQhJvwqAIgXP9i
RH8C8nP20RSO3Cvc5EeV3hZNE+S6DdAGnEaXlNs=
-----END CERTIFICATE-----
`;

/** Writes a pair into a folder, where settings can name it. */
export function writeTlsFiles(
  folder: string,
  pair: 'test' | 'strangers' = 'test',
): { readonly sslCertFile: string; readonly sslKeyFile: string } {
  const sslCertFile = join(folder, `${pair}-cert.pem`);
  const sslKeyFile = join(folder, `${pair}-key.pem`);
  writeFileSync(sslCertFile, pair === 'test' ? testCertificate : strangersCertificate);
  writeFileSync(sslKeyFile, pair === 'test' ? testKey : strangersKey);
  return { sslCertFile, sslKeyFile };
}
