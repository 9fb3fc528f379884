export default async function teardown() {
  await globalThis[Symbol.for('centralita.engines')]?.stop();
}
