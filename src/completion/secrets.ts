// Files whose text never enters a request, the cache or the log: by name, because reading them is what must not happen.

/** Patterns over the lower-case file name. */
const secretNames: readonly RegExp[] = [
  /^\.env(?:$|[.\-_~])/, // .env, .env.local, .env-production, .env~
  /\.env$/, // production.env
  /^\.(?:envrc|dev\.vars|flaskenv)(?:$|\.)/,
  /\.(?:pem|key|p12|pfx|pkcs12|p8|ppk|jks|keystore|kdbx|asc|gpg|age|ovpn)$/,
  /^id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?(?:$|\.(?!pub$))/,
  /^(?:ssh_host_.*_key|known_hosts|authorized_keys)$/,
  /^\.?(?:npmrc|yarnrc|yarnrc\.yml|pypirc|netrc|_netrc|pgpass|my\.cnf|git-credentials|htpasswd|s3cfg|boto|dockercfg)$/,
  /^(?:_netrc|credentials|kubeconfig|shadow|wallet\.dat)$/,
  /^(?:credentials?|secrets?|service[-_]?account[^.]*|client[-_]secrets?[^.]*)\.(?:json|ya?ml|toml|ini|xml|properties|txt|tfvars)$/,
  /\.kubeconfig$/,
  /^kubeconfig\.ya?ml$/,
  /(?:^|[.\-_])secrets?[.\-_].*(?:json|ya?ml|toml|env)$/, // secrets.prod.yaml
  /[.\-_]secrets?\.(?:json|ya?ml|toml|env)$/, // prod.secrets.yaml
  /^passwords?\.(?:txt|csv|json|ya?ml)$/,
  /^(?:auth|local\.settings)\.json$/,
  /\.tfvars(?:\.json)?$/,
  /\.tfstate(?:\.backup)?$/,
  /^(?:master|credentials\.yml)\.(?:key|enc)$/,
  /^\.?vault[-_]?(?:pass(?:word)?|token)(?:\.txt)?$/,
];

/** Patterns over the end of the lower-case path with "/" between its parts. */
const secretPlaces: readonly RegExp[] = [
  /\/\.(?:ssh|gnupg|aws|azure|kube)\/[^/]+$/,
  /\/\.docker\/config\.json$/,
  /\/\.config\/gcloud\/[^/]+$/,
  /\/\.config\/gh\/hosts\.yml$/,
  /\/\.m2\/settings(?:-security)?\.xml$/,
];

/** Names that look like secrets and are examples, meant to be read and shared. */
const examples = /\.(?:example|sample|template|dist|schema)$/;

/** Whether a file by this path holds passwords or keys. Takes "/" and "\". */
export function isSecretFile(path: string): boolean {
  const normal = path.replaceAll("\\", "/").toLowerCase();
  const name = normal.slice(normal.lastIndexOf("/") + 1);
  if (examples.test(name)) return false;
  return (
    secretNames.some((pattern) => pattern.test(name)) || secretPlaces.some((pattern) => pattern.test(`/${normal}`))
  );
}

const largestFile = 5_000_000;
const longestLine = 10_000;

/** Generated, minified and data files: completing them costs much and helps nobody. Lengths in characters. */
export function isHugeFile(fileLength: number, cursorLineLength: number): boolean {
  return fileLength > largestFile || cursorLineLength > longestLine;
}
