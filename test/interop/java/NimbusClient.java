import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jwt.JWT;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.oauth2.sdk.AuthorizationCodeGrant;
import com.nimbusds.oauth2.sdk.AuthorizationGrant;
import com.nimbusds.oauth2.sdk.OAuth2Error;
import com.nimbusds.oauth2.sdk.PushedAuthorizationRequest;
import com.nimbusds.oauth2.sdk.PushedAuthorizationResponse;
import com.nimbusds.oauth2.sdk.RefreshTokenGrant;
import com.nimbusds.oauth2.sdk.ResponseMode;
import com.nimbusds.oauth2.sdk.ResponseType;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenErrorResponse;
import com.nimbusds.oauth2.sdk.TokenIntrospectionRequest;
import com.nimbusds.oauth2.sdk.TokenIntrospectionSuccessResponse;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenRevocationRequest;
import com.nimbusds.oauth2.sdk.auth.ClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.PrivateKeyJWT;
import com.nimbusds.oauth2.sdk.dpop.DPoPProofFactory;
import com.nimbusds.oauth2.sdk.dpop.DefaultDPoPProofFactory;
import com.nimbusds.oauth2.sdk.dpop.JWKThumbprintConfirmation;
import com.nimbusds.oauth2.sdk.http.HTTPRequest;
import com.nimbusds.oauth2.sdk.http.HTTPResponse;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.id.State;
import com.nimbusds.oauth2.sdk.jarm.JARMValidator;
import com.nimbusds.oauth2.sdk.pkce.CodeChallengeMethod;
import com.nimbusds.oauth2.sdk.pkce.CodeVerifier;
import com.nimbusds.oauth2.sdk.rar.AuthorizationType;
import com.nimbusds.oauth2.sdk.token.AccessToken;
import com.nimbusds.oauth2.sdk.token.DPoPAccessToken;
import com.nimbusds.openid.connect.sdk.AuthenticationRequest;
import com.nimbusds.openid.connect.sdk.AuthenticationResponse;
import com.nimbusds.openid.connect.sdk.AuthenticationResponseParser;
import com.nimbusds.openid.connect.sdk.LogoutRequest;
import com.nimbusds.openid.connect.sdk.Nonce;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponse;
import com.nimbusds.openid.connect.sdk.UserInfoRequest;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.token.OIDCTokens;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A client of the embedded authorization server, written with Nimbus alone. `ask …` is a line for the test, which answers with a
 * line; `passed …` is a step that holds.
 */
public class NimbusClient {
  private static final AuthorizationType ACCOUNTS = new AuthorizationType("accounts");

  private final BufferedReader answers = new BufferedReader(new InputStreamReader(System.in));
  private final OIDCProviderMetadata server;
  private final ClientID clientId;
  private final ECKey key;
  private final ECKey proofKey = new ECKeyGenerator(Curve.P_256).generate();
  private final DPoPProofFactory proofs = new DefaultDPoPProofFactory(proofKey, JWSAlgorithm.ES256);
  private Nonce dpopNonce;

  private NimbusClient(String issuer, String clientId, String key) throws Exception {
    this.server = OIDCProviderMetadata.resolve(new Issuer(issuer));
    this.clientId = new ClientID(clientId);
    this.key = ECKey.parse(key);
  }

  /** @param arguments issuer, client, its private key as a JWK, its redirect URI, an API, `plain` or `signed` */
  public static void main(String[] arguments) throws Exception {
    new NimbusClient(arguments[0], arguments[1], arguments[2])
        .walk(new URI(arguments[3]), new URI(arguments[4]), arguments[5].equals("signed"));
  }

  private void walk(URI redirectUri, URI api, boolean isSigned) throws Exception {
    CodeVerifier verifier = new CodeVerifier();
    State state = new State();
    Nonce nonce = new Nonce();
    AuthenticationRequest request = new AuthenticationRequest.Builder(
            ResponseType.CODE, new Scope("openid", "profile", "offline_access", "orders"), clientId, redirectUri)
        .state(state)
        .nonce(nonce)
        .codeChallenge(verifier, CodeChallengeMethod.S256)
        .dPoPJWKThumbprintConfirmation(JWKThumbprintConfirmation.of(proofKey))
        .responseMode(isSigned ? ResponseMode.JWT : null)
        .build();
    if (isSigned) request = signed(request);
    URI reference = PushedAuthorizationResponse.parse(
            new PushedAuthorizationRequest(server.getPushedAuthorizationRequestEndpointURI(), authentication(), request)
                .toHTTPRequest()
                .send())
        .toSuccessResponse()
        .getRequestURI();
    URI login = new AuthenticationRequest.Builder(reference, clientId)
        .endpointURI(server.getAuthorizationEndpointURI())
        .build()
        .toURI();
    URI answered = new URI(ask("login", login.toString()));
    AuthenticationResponse answer = isSigned
        ? AuthenticationResponseParser.parse(answered, new JARMValidator(
            server.getIssuer(), clientId, JWSAlgorithm.ES256, server.getJWKSetURI().toURL()))
        : AuthenticationResponseParser.parse(answered);
    holds(server.getIssuer().equals(answer.getIssuer()) && state.equals(answer.getState()), "iss and state of the answer");

    OIDCTokens tokens = tokens(new AuthorizationCodeGrant(
        answer.toSuccessResponse().getAuthorizationCode(), redirectUri, verifier));
    DPoPAccessToken accessToken = tokens.getDPoPAccessToken();
    holds(subject(tokens.getIDToken(), nonce).equals("user-alice"), "login");
    if (isSigned) holds(accessToken.getAuthorizationDetails().get(0).getType().equals(ACCOUNTS), "authorization details");
    holds(called(new UserInfoRequest(server.getUserInfoEndpointURI(), accessToken).toHTTPRequest(), accessToken)
        .getBodyAsJSONObject().get("name").equals("Alice Liddell"), "userinfo");
    holds(called(new HTTPRequest(HTTPRequest.Method.GET, api), accessToken).getStatusCode() == 200, "API");
    holds(new HTTPRequest(HTTPRequest.Method.GET, api).send().getStatusCode() == 401, "API without a token");
    TokenIntrospectionSuccessResponse known = introspected(accessToken);
    holds(known.isActive() && Objects.equals(
        known.getJWKThumbprintConfirmation(), JWKThumbprintConfirmation.of(proofKey)), "introspection");

    ask("rotate", "-");
    OIDCTokens refreshed = tokens(new RefreshTokenGrant(tokens.getRefreshToken()));
    holds(subject(refreshed.getIDToken(), null).equals("user-alice"), "refresh");
    holds(!keyOf(refreshed.getIDToken()).equals(keyOf(tokens.getIDToken())), "key rotation");
    holds(called(new HTTPRequest(HTTPRequest.Method.GET, api), refreshed.getDPoPAccessToken()).getStatusCode() == 200,
        "API after key rotation");

    holds(new TokenRevocationRequest(server.getRevocationEndpointURI(), authentication(), tokens.getRefreshToken())
        .toHTTPRequest().send().getStatusCode() == 200, "revocation");
    holds(!introspected(refreshed.getDPoPAccessToken()).isActive(), "introspection after revocation");
    HTTPResponse refused = redeemed(new RefreshTokenGrant(tokens.getRefreshToken()));
    holds(OAuth2Error.INVALID_GRANT.equals(TokenErrorResponse.parse(refused).getErrorObject()), "refresh after revocation");

    ask("logout", new LogoutRequest(server.getEndSessionEndpointURI(), tokens.getIDToken()).toURI().toString());
    System.out.println("passed logout");
  }

  /** RFC 9101. It makes a text of every parameter: `authorization_details` has to be put in as a list. */
  private AuthenticationRequest signed(AuthenticationRequest request) throws Exception {
    Date now = new Date();
    SignedJWT requestObject = new SignedJWT(
        new JWSHeader.Builder(JWSAlgorithm.ES256)
            .type(new JOSEObjectType("oauth-authz-req+jwt"))
            .keyID(key.getKeyID())
            .build(),
        new JWTClaimsSet.Builder(request.toJWTClaimsSet())
            .issuer(clientId.getValue())
            .audience(server.getIssuer().getValue())
            .notBeforeTime(now)
            .expirationTime(new Date(now.getTime() + 60_000))
            .claim("authorization_details", List.of(Map.of("type", ACCOUNTS.getValue(), "actions", List.of("list"))))
            .build());
    requestObject.sign(new ECDSASigner(key));
    return new AuthenticationRequest.Builder(requestObject, clientId).build();
  }

  private ClientAuthentication authentication() throws Exception {
    // The audience is the issuer, not the endpoint.
    return new PrivateKeyJWT(
        clientId, URI.create(server.getIssuer().getValue()), JWSAlgorithm.ES256, key.toECPrivateKey(), key.getKeyID(), null);
  }

  private OIDCTokens tokens(AuthorizationGrant grant) throws Exception {
    return OIDCTokenResponse.parse(redeemed(grant)).getOIDCTokens();
  }

  private HTTPResponse redeemed(AuthorizationGrant grant) throws Exception {
    return proven(new TokenRequest.Builder(server.getTokenEndpointURI(), authentication(), grant).build().toHTTPRequest(), null);
  }

  private HTTPResponse called(HTTPRequest request, DPoPAccessToken token) throws Exception {
    request.setAuthorization(token.toAuthorizationHeader());
    return proven(request, token);
  }

  /** Once more with the nonce that the server has given (RFC 9449 §8). */
  private HTTPResponse proven(HTTPRequest request, AccessToken token) throws Exception {
    for (int attempt = 1; ; attempt++) {
      request.setDPoP(proofs.createDPoPJWT(request.getMethod().name(), request.getURI(), token, dpopNonce));
      HTTPResponse response = request.send();
      boolean isNew = response.getDPoPNonce() != null && !response.getDPoPNonce().equals(dpopNonce);
      if (isNew) dpopNonce = response.getDPoPNonce();
      if (response.indicatesSuccess() || !isNew || attempt == 2) return response;
    }
  }

  private TokenIntrospectionSuccessResponse introspected(AccessToken token) throws Exception {
    return TokenIntrospectionSuccessResponse.parse(
        new TokenIntrospectionRequest(server.getIntrospectionEndpointURI(), authentication(), token).toHTTPRequest().send());
  }

  private String subject(JWT idToken, Nonce nonce) throws Exception {
    return new IDTokenValidator(server.getIssuer(), clientId, JWSAlgorithm.ES256, server.getJWKSetURI().toURL())
        .validate(idToken, nonce).getSubject().getValue();
  }

  private static String keyOf(JWT token) {
    return ((JWSHeader) token.getHeader()).getKeyID();
  }

  private String ask(String question, String detail) throws IOException {
    System.out.println("ask " + question + " " + detail);
    return answers.readLine();
  }

  private static void holds(boolean condition, String step) {
    if (!condition) throw new IllegalStateException("does not hold: " + step);
    System.out.println("passed " + step);
  }
}
