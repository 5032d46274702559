/** Whether what was received is an answer from its first line to its last byte. */
export function isWholeAnswer(received: string): boolean {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return false;
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(received)?.[1]);
  return received.length >= headEnd + 4 + length;
}
