/** Whether the address sanitizer is there, which keeps freed memory for a while. */
export const SANITIZED = process.env.ASAN_OPTIONS !== undefined;
