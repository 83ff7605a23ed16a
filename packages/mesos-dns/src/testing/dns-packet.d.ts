/** What the tests use of the packet library, which brings no types. */
declare module 'dns-packet' {
  export interface Record {
    readonly name: string;
    readonly type: string;
    readonly ttl: number;
    readonly data: unknown;
  }
  export interface Packet {
    readonly id: number;
    readonly rcode: string;
    readonly flags: number;
    readonly flag_aa: boolean;
    readonly flag_ra: boolean;
    readonly flag_rd: boolean;
    readonly flag_tc: boolean;
    readonly questions: readonly { readonly name: string; readonly type: string }[];
    readonly answers: readonly Record[];
    readonly authorities: readonly Record[];
    readonly additionals: readonly Record[];
  }
  export interface QueryPacket {
    readonly type: 'query';
    readonly id: number;
    readonly flags?: number;
    readonly questions: readonly {
      readonly type: string;
      readonly name: string;
      readonly class?: string;
    }[];
    readonly additionals?: readonly unknown[];
  }
  export function encode(packet: QueryPacket): Buffer;
  export function decode(bytes: Buffer): Packet;
  export const RECURSION_DESIRED: number;
}
