// What the phone still shows of messages that were read in the app.

export async function dismiss(ids: string[]): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration()
  for (const notice of (await registration?.getNotifications()) ?? []) {
    if (ids.includes((notice.data as { inbox?: string } | null)?.inbox ?? '')) notice.close()
  }
}
