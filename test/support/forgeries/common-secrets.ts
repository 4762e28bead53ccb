/** The HMAC secrets that attackers try first: from tutorials, samples, and frameworks that ship with a default. */
export const COMMON_SECRETS = (
  'secret Secret SECRET secret1 secret123 secretkey secret_key secret-key SecretKey SECRET_KEY supersecret ' +
  'super-secret super_secret supersecretkey topsecret top-secret mysecret my_secret my-secret mysecretkey ' +
  'my_secret_key shh shhhh shhhhh shhhhhhared-secret shared-secret your-256-bit-secret your-384-bit-secret ' +
  'your-512-bit-secret your_secret your-secret your_secret_key your_jwt_secret your-jwt-secret yoursecretkey ' +
  'jwt JWT jwtsecret jwt_secret jwt-secret JWT_SECRET jwt_secret_key jwtSecret jwt-key jwtkey token tokensecret ' +
  'key keyboardcat keyboard_cat private privatekey private_key public pass password Password password1 ' +
  'password123 passw0rd p@ssw0rd P@ssw0rd 123456 12345678 123456789 1234567890 0123456789 qwerty abc123 ' +
  'admin Admin admin123 root user test testing test123 testsecret test_secret demo example changeme ' +
  'change-me change_me changeit default dev development production prod hello helloworld letmein none null ' +
  'foo bar foobar baz duktig Duktig microservice'
).split(' ')
