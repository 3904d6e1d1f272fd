import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.proc.SecurityContext;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Scanner;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.http.MediaType;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configuration.OAuth2AuthorizationServerConfiguration;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtEncoder;
import org.springframework.security.oauth2.jwt.NimbusJwtEncoder;
import org.springframework.security.oauth2.server.authorization.OAuth2TokenType;
import org.springframework.security.oauth2.server.authorization.authentication.OAuth2AuthorizationCodeRequestAuthenticationToken;
import org.springframework.security.oauth2.server.authorization.client.InMemoryRegisteredClientRepository;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClient;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClientRepository;
import org.springframework.security.oauth2.server.authorization.settings.AuthorizationServerSettings;
import org.springframework.security.oauth2.server.authorization.settings.ClientSettings;
import org.springframework.security.oauth2.server.authorization.settings.TokenSettings;
import org.springframework.security.oauth2.server.authorization.token.JwtEncodingContext;
import org.springframework.security.oauth2.server.authorization.token.OAuth2TokenCustomizer;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.security.web.DefaultRedirectStrategy;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.authentication.AuthenticationSuccessHandler;
import org.springframework.security.web.authentication.LoginUrlAuthenticationEntryPoint;
import org.springframework.security.web.util.matcher.MediaTypeRequestMatcher;

/** Spring Authorization Server with what it needs to be the gateway's authority. A line on standard input: it makes a new signing key. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
public class AuthorizationServer {
  /** The newest first: it signs. */
  private static final List<JWK> keys = new CopyOnWriteArrayList<>();

  public static void main(String[] arguments) throws JOSEException {
    keys.add(newKey());
    SpringApplication.run(AuthorizationServer.class, arguments);
    for (Scanner lines = new Scanner(System.in); lines.hasNextLine(); lines.nextLine()) keys.add(0, newKey());
  }

  private static JWK newKey() throws JOSEException {
    return new ECKeyGenerator(Curve.P_256)
        .keyID(UUID.randomUUID().toString())
        .keyUse(KeyUse.SIGNATURE)
        .algorithm(JWSAlgorithm.ES256)
        .generate();
  }

  @Bean
  @Order(1)
  SecurityFilterChain protocol(HttpSecurity http, @Value("${issuer}") String issuer, @Value("${stock}") boolean stock)
      throws Exception {
    http.oauth2AuthorizationServer(server -> {
      http.securityMatcher(server.getEndpointsMatcher());
      server.pushedAuthorizationRequestEndpoint(Customizer.withDefaults());
      server.oidc(oidc -> oidc.providerConfigurationEndpoint(endpoint -> endpoint.providerConfigurationCustomizer(metadata -> {
        metadata.idTokenSigningAlgorithms(algorithms -> algorithms.add("ES256"));
        if (!stock) metadata.claim("authorization_response_iss_parameter_supported", true);
      })));
      if (!stock) server.authorizationEndpoint(endpoint -> endpoint.authorizationResponseHandler(withIssuer(issuer)));
    });
    return http
        .authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
        .exceptionHandling(handling -> handling.defaultAuthenticationEntryPointFor(
            new LoginUrlAuthenticationEntryPoint("/login"), new MediaTypeRequestMatcher(MediaType.TEXT_HTML)))
        .build();
  }

  /** RFC 9207, which Spring does not have. */
  private static AuthenticationSuccessHandler withIssuer(String issuer) {
    return (request, response, authentication) -> {
      var granted = (OAuth2AuthorizationCodeRequestAuthenticationToken) authentication;
      new DefaultRedirectStrategy().sendRedirect(request, response, granted.getRedirectUri()
          + "?code=" + encoded(granted.getAuthorizationCode().getTokenValue())
          + "&state=" + encoded(granted.getState())
          + "&iss=" + encoded(issuer));
    };
  }

  @Bean
  RegisteredClientRepository clients(@Value("${gateway}") String gateway) {
    return new InMemoryRegisteredClientRepository(RegisteredClient.withId("shop")
        .clientId("shop")
        .clientAuthenticationMethod(ClientAuthenticationMethod.PRIVATE_KEY_JWT)
        .authorizationGrantType(AuthorizationGrantType.AUTHORIZATION_CODE)
        .authorizationGrantType(AuthorizationGrantType.REFRESH_TOKEN)
        .redirectUri(gateway + "/bff/callback")
        .postLogoutRedirectUri(gateway + "/")
        .scope("openid").scope("profile").scope("orders")
        .clientSettings(ClientSettings.builder()
            .jwkSetUrl(gateway + "/bff/jwks")
            .tokenEndpointAuthenticationSigningAlgorithm(SignatureAlgorithm.ES256)
            .requireProofKey(true)
            .build())
        .tokenSettings(TokenSettings.builder()
            .idTokenSignatureAlgorithm(SignatureAlgorithm.ES256)
            .accessTokenTimeToLive(Duration.ofSeconds(70))
            .build())
        .build());
  }

  /** Access tokens are for the API, and signed with RS256 unless this says otherwise. */
  @Bean
  OAuth2TokenCustomizer<JwtEncodingContext> accessTokens(@Value("${audience}") String audience) {
    return context -> {
      if (!OAuth2TokenType.ACCESS_TOKEN.equals(context.getTokenType())) return;
      context.getJwsHeader().algorithm(SignatureAlgorithm.ES256);
      context.getClaims().audience(List.of(audience));
    };
  }

  @Bean
  @Order(2)
  SecurityFilterChain pages(HttpSecurity http) throws Exception {
    return http
        .authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
        .formLogin(Customizer.withDefaults())
        .build();
  }

  @Bean
  UserDetailsService users() {
    return new InMemoryUserDetailsManager(User.withUsername("alice").password("{noop}wonderland").roles("USER").build());
  }

  @Bean
  AuthorizationServerSettings settings(@Value("${issuer}") String issuer) {
    return AuthorizationServerSettings.builder().issuer(issuer).build();
  }

  @Bean
  JWKSource<SecurityContext> keySource() {
    return (selector, context) -> selector.select(new JWKSet(List.copyOf(keys)));
  }

  @Bean
  JwtEncoder encoder(JWKSource<SecurityContext> source) {
    NimbusJwtEncoder encoder = new NimbusJwtEncoder(source);
    encoder.setJwkSelector(candidates -> candidates.get(0));
    return encoder;
  }

  @Bean
  JwtDecoder decoder(JWKSource<SecurityContext> source) {
    return OAuth2AuthorizationServerConfiguration.jwtDecoder(source);
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
