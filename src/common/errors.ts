// Every failure in Hotpath carries one code from this list. The native side keeps the same list in
// native/core/error_codes.inc; a tidy test proves both equal.

export const errorCodes = {
  "engine/exited": "The engine process ended.",
  "engine/start-failed": "The engine process could not be started.",
  "engine/unresponsive": "The engine process does not answer.",
  "engine/version": "An engine of another version is running.",
  "engine/refused": "The engine refused the connection.",
  "engine/restart-limit": "The engine ended too often and is not started again.",
  "model/not-found": "There is no such model file.",
  "model/not-gguf": "The file is not a GGUF model.",
  "model/corrupt": "The model file is damaged.",
  "model/unsupported": "This kind of model is not supported.",
  "model/no-fim": "The model cannot fill in the middle.",
  "model/too-large": "The model does not fit in memory.",
  "model/unloaded": "The model is no longer loaded.",
  "device/unavailable": "The device is not available.",
  "device/out-of-memory": "The device ran out of memory.",
  "file/unreadable": "The file cannot be read.",
  "file/unwritable": "The file cannot be written.",
  "sidecar/invalid": "The prepared weights cannot be used.",
  "sandbox/unavailable": "There is no safe place to run code that a model wrote.",
  "dataset/unavailable": "The data set is not there.",
  "dataset/invalid": "The data set is not what it should be.",
  "record/invalid": "The benchmark record is damaged.",
  "server/failed": "The server does not answer as it should.",
  "request/cancelled": "The request was cancelled.",
  "request/invalid": "The request is not valid.",
  "settings/invalid": "A setting has a value that cannot be used.",
  "internal/bug": "Hotpath made a mistake.",
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof errorCodes;

/** Numbers and names behind a message, for the log. Must survive JSON. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

/** The only error type Hotpath throws. `message` states what happened with the actual values. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "AppError";
    this.code = code;
    this.details = details;
  }
}

/** Gives a message its full stop, so that sentences can follow it. */
export function sentence(message: string): string {
  const trimmed = message.trimEnd();
  return /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(errorCodes, value);
}

/** Makes an AppError of anything thrown; what is not one of ours becomes `internal/bug` with the original as cause. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof Error) {
    const { code, details } = thrown as { code?: unknown; details?: unknown };
    if (isErrorCode(code)) return new AppError(code, thrown.message, (details ?? {}) as ErrorDetails, thrown);
    return new AppError("internal/bug", thrown.message, {}, thrown);
  }
  return new AppError("internal/bug", String(thrown));
}

export function isCancelled(thrown: unknown): boolean {
  return (thrown as { code?: unknown } | undefined)?.code === "request/cancelled";
}
