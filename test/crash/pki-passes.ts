/** The failpoints of the pki engine, which needs no server: test/crash/killed-pki.test.ts kills it at each. */
export const PKI_PASSES = ["pki:signed", "pki:stored", "pki:revoking"] as const;
