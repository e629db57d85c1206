ed25519 cbc9fb0b8fa25c29 Q7PgoGX3UM6nF8/44KLqN2xwq+xQiyUgWjx/i6r4g0MsUufao5sZhFkmr//OkPsrRxn/F91WsIT1csKZ+QuyAg==
