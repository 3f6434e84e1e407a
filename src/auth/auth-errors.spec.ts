import {
  IssuerUnavailableException,
  RoleMissingException,
  TokenMissingException,
  TokenRefusedException,
} from './auth-errors.js';

describe('Who may not call is told', () => {
  it('how to send a token', () => {
    const { message, challenge } = new TokenMissingException();
    expect(message).toBe('Send an access token: "Authorization: Bearer …"');
    expect(challenge).toBe('Bearer realm="session-alerts"');
  });

  it('why a token is refused, by what a header may hold', () => {
    const cause = new Error('cause');
    const refused = new TokenRefusedException('its audience is "Größe" \\ 5\n', { cause });
    expect(refused.message).toBe('The access token was refused: its audience is "Größe" \\ 5\n');
    expect(refused.cause).toBe(cause);
    expect(refused.challenge).toBe(
      'Bearer realm="session-alerts", error="invalid_token", error_description="its audience is  Gr  e    5 "',
    );
  });

  it('which role is missing', () => {
    const { message, challenge } = new RoleMissingException('admin');
    expect(message).toBe('This needs the role admin');
    expect(challenge).toBe('Bearer realm="session-alerts", error="insufficient_scope"');
  });

  it('when to come again where the issuer is away', () => {
    const cause = new Error('cause');
    expect(new IssuerUnavailableException(7, { cause })).toMatchObject({
      message: "The issuer's keys cannot be fetched right now",
      retryAfter: 7,
      cause,
    });
  });
});
