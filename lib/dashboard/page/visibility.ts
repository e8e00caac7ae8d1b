/**
 * Tells when the page is hidden, as behind another tab, and when it is shown again.
 *
 * @returns what ends it
 */
export function followVisibility(listener: (isVisible: boolean) => void): () => void {
  const look = (): void => listener(!document.hidden);
  document.addEventListener('visibilitychange', look);
  return () => document.removeEventListener('visibilitychange', look);
}
