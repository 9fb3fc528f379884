import { ProtocolError, ResponseError } from '@platformatic/kafka';

/**
 * The answer to a request even if it reports errors. The client throws away what the other partitions of a request got as soon as one
 * has failed; the answer hangs at the error.
 */
export const answerOf = async <R>(answering: Promise<R>): Promise<R> => {
  try {
    return await answering;
  } catch (error) {
    if (error instanceof ResponseError && 'response' in error && error.response) return error.response as R;
    throw error;
  }
};

/** An error code of the protocol as an error. */
export const protocolError = (code: number): Error => new ProtocolError(code);
