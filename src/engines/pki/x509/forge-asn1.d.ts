/** The part of node-forge that is used: its ASN.1 alone, without its cryptography. Its package's own types name only the whole. */
declare module "node-forge/lib/asn1.js" {
  interface ForgeNode {
    readonly tagClass: number;
    readonly type: number;
    readonly constructed: boolean;
    /** Of a constructed one its parts; else its bytes, each a character. */
    readonly value: string | readonly ForgeNode[];
  }
  interface ForgeBytes {
    getBytes(): string;
  }
  const asn1: {
    create(
      tagClass: number,
      type: number,
      constructed: boolean,
      value: string | readonly ForgeNode[],
    ): ForgeNode;
    fromDer(
      bytes: string,
      options: { strict: boolean; parseAllBytes: boolean; decodeBitStrings: boolean },
    ): ForgeNode;
    toDer(node: ForgeNode): ForgeBytes;
    oidToDer(oid: string): ForgeBytes;
    derToOid(bytes: string): string;
  };
  export default asn1;
  export type { ForgeNode };
}
