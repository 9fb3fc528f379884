/** Functions of helm's templates whose result is another one at another time, place or try. */
const forbidden =
  /(?<![\w.$"-])(lookup|rand(?:AlphaNum|Alpha|Numeric|Ascii|Bytes|Int)|shuffle|uuidv4|gen(?:CA|CAWithKey|SelfSignedCert|SelfSignedCertWithKey|SignedCert|SignedCertWithKey|PrivateKey)|encryptAES|bcrypt|htpasswd|now|ago|env|expandenv|getHostByName)(?![\w"-])/g;

/** Which of them a template calls. Comments, texts, fields and variables of the same names are none. */
export const forbiddenFunctions = (template: string): string[] =>
  [...template.matchAll(/\{\{-?([\s\S]*?)-?\}\}/g)]
    .map(([, action = '']) => action)
    .filter((action) => !/^\s*\/\*/.test(action))
    .map((action) => action.replace(/"(?:[^"\\]|\\.)*"|`[^`]*`/g, '""'))
    .flatMap((action) => [...action.matchAll(forbidden)].map(([, name = '']) => name));
