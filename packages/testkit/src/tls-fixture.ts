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

/** Valid in the year 2024 only. */
export const expiredKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgv2+5pYgi02Nh7ojT
2g0zGu1FJCaGulpfM+yqlZ5oU7ShRANCAAS3E8ZvXrig2aOzgEuGeEehtuRtSCUI
lE2n+sWcA0nNR1UGT2l+QgbwVExXEH/gWwMilqQXDnJe6JPrqrVrI6U2
-----END PRIVATE KEY-----
`;

export const expiredCertificate = `-----BEGIN CERTIFICATE-----
MIIBZjCCAQugAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlmb3Jnb3R0
ZW4wHhcNMjQwMTAxMDAwMDAwWhcNMjUwMTAxMDAwMDAwWjAUMRIwEAYDVQQDDAlm
b3Jnb3R0ZW4wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAS3E8ZvXrig2aOzgEuG
eEehtuRtSCUIlE2n+sWcA0nNR1UGT2l+QgbwVExXEH/gWwMilqQXDnJe6JPrqrVr
I6U2o04wTDAPBgNVHRMBAf8EBTADAQH/MBoGA1UdEQQTMBGHBH8AAAGCCWxvY2Fs
aG9zdDAdBgNVHQ4EFgQU4jsr1s3QBDPclHc3XBO+aV/+/aEwCgYIKoZIzj0EAwID
SQAwRgIhAKyxRU+XrtBMFMWdYv6k2ne92JHMU+KUBNkJk7Cr+uX6AiEAj9ELVjSs
by7Rs7r9LPDWxKovksezo9vGnFMH7i0Kma4=
-----END CERTIFICATE-----
`;

const PAIRS = {
  test: { certificate: testCertificate, key: testKey },
  strangers: { certificate: strangersCertificate, key: strangersKey },
  expired: { certificate: expiredCertificate, key: expiredKey },
} as const;

/** Writes a pair into a folder, where settings can name it. */
export function writeTlsFiles(
  folder: string,
  pair: keyof typeof PAIRS = 'test',
): { readonly sslCertFile: string; readonly sslKeyFile: string } {
  const sslCertFile = join(folder, `${pair}-cert.pem`);
  const sslKeyFile = join(folder, `${pair}-key.pem`);
  writeFileSync(sslCertFile, PAIRS[pair].certificate);
  writeFileSync(sslKeyFile, PAIRS[pair].key);
  return { sslCertFile, sslKeyFile };
}
