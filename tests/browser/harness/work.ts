// What a mentor does in many stories: registers a household, with a photo if wanted.
import { expect } from '@playwright/test'
import { photoFromFile } from './form'
import type { Device } from './phone'
import { begins, say } from './words'

interface Home {
  photo?: boolean
  tel?: string
  nationalId?: string
}

/** Until the screen says that it is saved. */
export async function register(phone: Device, name: string, { photo = true, tel, nationalId }: Home = {}): Promise<void> {
  const { page } = phone
  await phone.goto('/households/new')
  await page.getByLabel(say('field_head_name')).fill(name)
  await page.getByLabel(say('field_village')).selectOption({ index: 1 })
  if (tel) await page.getByLabel(begins('field_phone')).fill(tel)
  if (nationalId) await page.getByLabel(begins('field_national_id')).fill(nationalId)
  if (photo) await photoFromFile(page, page.getByRole('button', { name: say('photo_take') }))
  await page.getByRole('button', { name: say('register_save') }).click()
  await expect(page.getByText(say('saved_on_phone')).first()).toBeVisible()
}
