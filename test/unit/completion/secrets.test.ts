import { describe, expect, it } from "vitest";
import { isHugeFile, isSecretFile } from "../../../src/completion/secrets.ts";

describe("isSecretFile", () => {
  it.each([
    ".env",
    "app/.env.local",
    "app/.env-production",
    "deploy/production.env",
    ".envrc",
    ".env~",
    ".dev.vars",
    ".flaskenv",
    "kubeconfig.yaml",
    "prod.secrets.yaml",
    "secrets.prod.yaml",
    "passwords.txt",
    "~/.m2/settings.xml",
    "auth.json",
    "local.settings.json",
    "server.pem",
    "tls/private.key",
    "store.p12",
    "C:\\Users\\me\\cert.PFX",
    "app.jks",
    "passwords.kdbx",
    "id_rsa",
    "~/.ssh/id_ed25519",
    "id_rsa.old",
    "~/.ssh/config",
    ".npmrc",
    "~/.netrc",
    "_netrc",
    ".pgpass",
    ".git-credentials",
    ".htpasswd",
    "~/.aws/credentials",
    "~/.aws/config",
    "~/.kube/config",
    "kubeconfig",
    "prod.kubeconfig",
    "~/.docker/config.json",
    "credentials.json",
    "secrets.yaml",
    "secret.toml",
    "service-account-prod.json",
    "client_secret_123.json",
    "terraform.tfvars",
    "terraform.tfstate",
    "config/master.key",
    "config/credentials.yml.enc",
    ".vault-token",
    "vault_password.txt",
  ])("holds back %s", (path) => {
    expect(isSecretFile(path)).toBe(true);
  });

  it.each([
    "src/environment.ts",
    ".env.example",
    "config/.env.sample",
    "secrets.py",
    "credentials.ts",
    "src/secrets/index.ts",
    "id_rsa.pub",
    "keyboard.ts",
    "key.go",
    "monkey",
    "package.json",
    "config.json",
    "docker/config.json",
    "README.md",
    "",
  ])("lets %j pass", (path) => {
    expect(isSecretFile(path)).toBe(false);
  });
});

describe("isHugeFile", () => {
  it("lets a large source file pass", () => {
    expect(isHugeFile(2_000_000, 120)).toBe(false);
  });

  it("holds back when the file is longer than five million characters", () => {
    expect(isHugeFile(5_000_001, 10)).toBe(true);
  });

  it("holds back when the line is longer than ten thousand characters", () => {
    expect(isHugeFile(50_000, 10_001)).toBe(true);
  });
});
