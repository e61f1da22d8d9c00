// AppError on one side of the wire, AppError on the other.
import { ErrorCodes, ResponseError } from "vscode-jsonrpc";
import { AppError, isErrorCode, toAppError } from "../common/errors.ts";
import type { ErrorData } from "./engine.ts";

export function toResponseError(thrown: unknown): ResponseError<ErrorData> {
  const { code, message, details } = toAppError(thrown);
  return new ResponseError(ErrorCodes.InternalError, message, { code, details });
}

/** The AppError behind a rejected JSON-RPC request; `fallback` serves when the other side did not send one of ours. */
export function fromResponseError(thrown: unknown, fallback: () => AppError): AppError {
  const data = (thrown as { data?: Partial<ErrorData> } | undefined)?.data;
  if (!isErrorCode(data?.code)) return fallback();
  return new AppError(data.code, (thrown as Error).message, data.details ?? {}, thrown);
}
