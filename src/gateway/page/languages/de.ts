import type { PageTexts } from './page-texts.js'

const nothingHere = {
  title: 'Unter dieser Adresse gibt es nichts',
  remedy: 'Gehen Sie zur Anwendung zurück.',
}
const notUnderstood = {
  title: 'Diese Anfrage ist nicht zu verstehen',
  remedy: 'Gehen Sie zur Anwendung zurück und versuchen Sie es noch einmal.',
}
const notPossible = { title: 'Das geht hier nicht', remedy: 'Gehen Sie zur Anwendung zurück.' }
const upstreamSilent = {
  title: 'Der Dienst hinter dieser Seite antwortet nicht',
  remedy: 'Versuchen Sie es gleich noch einmal.',
}

export const de: PageTexts = {
  language: 'de',
  advice: {
    'bff.frontend.unknown': { ...nothingHere, remedy: 'Prüfen Sie den Hostnamen in der Adresse.' },
    'bff.request.ambiguous_target': notUnderstood,
    'bff.request.malformed': notUnderstood,
    'bff.request.too_many': {
      title: 'Bitte warten Sie einen Moment',
      remedy: 'Aus Ihrem Netz kamen gerade zu viele Anmeldeversuche. Versuchen Sie es in einer Minute wieder.',
    },
    'bff.rate.exceeded': {
      title: 'Bitte warten Sie einen Moment',
      remedy: 'Die Anwendung hat gerade mehr angefragt, als sie darf. Versuchen Sie es in einer Minute wieder.',
    },
    'bff.streams.too_many': {
      title: 'Zu viel ist gleichzeitig offen',
      remedy: 'Schließen Sie andere Fenster der Anwendung.',
    },
    'bff.request.timeout': {
      title: 'Das ist zu langsam angekommen',
      remedy: 'Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.',
    },
    'bff.endpoint.unknown': nothingHere,
    'bff.asset.unknown': nothingHere,
    'bff.asset.unreadable': {
      title: 'Diese Seite kann gerade nicht gelesen werden',
      remedy: 'Versuchen Sie es gleich noch einmal.',
    },
    'bff.route.unknown': nothingHere,
    'bff.endpoint.method_not_allowed': notPossible,
    'bff.route.method_denied': notPossible,
    'bff.csrf.header_missing': {
      title: 'Diese Adresse ist für die Anwendung',
      remedy: 'Öffnen Sie die Anwendung selbst; sie ruft diese Adresse für Sie auf.',
    },
    'bff.csrf.cross_site': {
      title: 'Eine andere Website wollte Ihre Sitzung benutzen',
      remedy: 'Öffnen Sie die Anwendung selbst und machen Sie dort weiter.',
    },
    'bff.navigation.required': {
      title: 'Diese Adresse öffnen Sie selbst',
      remedy: 'Öffnen Sie die Anwendung und machen Sie dort weiter.',
    },
    'bff.session.absent': { title: 'Sie sind nicht angemeldet', remedy: 'Melden Sie sich an, um weiterzumachen.' },
    'bff.session.ended': {
      title: 'Ihre Sitzung ist zu Ende',
      remedy: 'Melden Sie sich wieder an, um weiterzumachen.',
    },
    'bff.access.denied': {
      title: 'Das steht Ihnen nicht offen',
      remedy: 'Melden Sie sich als jemand anderes an, oder bitten Sie Ihren Administrator um Zugang.',
    },
    'bff.store.unavailable': {
      title: 'Bitte versuchen Sie es gleich noch einmal',
      remedy: 'Sie sind noch angemeldet; der Dienst holt nur Luft.',
    },
    'bff.login.transaction_absent': {
      title: 'Diese Anmeldung lässt sich nicht abschließen',
      remedy:
        'Beginnen Sie noch einmal, in einem Zug und in diesem Browser. Hilft das nicht, erlauben Sie Cookies für diese Website.',
    },
    'bff.login.issuer_mismatch': {
      title: 'Diese Anmeldung kam nicht von dort, woher sie kommen soll',
      remedy: 'Beginnen Sie in der Anwendung noch einmal.',
    },
    'bff.login.denied': {
      title: 'Sie haben sich nicht angemeldet',
      remedy: 'Es hat sich nichts geändert. Sie können jederzeit neu beginnen.',
    },
    'bff.login.refused': {
      title: 'Hier dürfen Sie sich nicht anmelden',
      remedy: 'Melden Sie sich mit einem anderen Konto an, oder fragen Sie Ihren Administrator.',
    },
    'bff.login.failed': {
      title: 'Die Anmeldung hat nicht geklappt',
      remedy:
        'Beginnen Sie noch einmal. Klappt es wieder nicht, nennen Sie Ihrem Administrator die Nummer der Anfrage.',
    },
    'bff.login.too_many_sessions': {
      title: 'Sie sind zu oft angemeldet',
      remedy: 'Melden Sie sich in einem anderen Browser oder auf einem anderen Gerät ab und dann hier wieder an.',
    },
    'bff.login.loop': {
      title: 'Die Anmeldung dreht sich im Kreis',
      remedy:
        'Warten Sie eine Minute, erlauben Sie Cookies für diese Website und öffnen Sie die Anwendung unter ihrer üblichen Adresse.',
    },
    'bff.step_up.required': {
      title: 'Bitte melden Sie sich hierfür noch einmal an',
      remedy: 'Hierfür braucht es eine stärkere oder neuere Anmeldung als Ihre. Sie bleiben angemeldet.',
    },
    'bff.step_up.not_met': {
      title: 'Diese Anmeldung genügt nicht',
      remedy:
        'An Ihrer Sitzung hat sich nichts geändert. Beginnen Sie neu, und melden Sie sich so an, wie es verlangt wird.',
    },
    'bff.step_up.other_user': {
      title: 'Sie haben sich als jemand anderes angemeldet',
      remedy:
        'An Ihrer Sitzung hat sich nichts geändert. Melden Sie sich als derselbe Benutzer an, oder melden Sie sich zuerst ab.',
    },
    'bff.step_up.repeated': {
      title: 'Ihre Anmeldung wird hier nicht angenommen',
      remedy:
        'Sie haben sich gerade hierfür angemeldet, und es wird schon wieder verlangt. Wenn es dabei bleibt, nennen Sie Ihrem Administrator die Anfragenummer.',
    },
    'bff.login.confirm': {
      title: 'Anmelden?',
      remedy: 'Eine andere Website hat Sie hierher geschickt. Gehen Sie nur weiter, wenn Sie sich anmelden wollten.',
    },
    'bff.issuer.unavailable': {
      title: 'Der Anmeldedienst antwortet nicht',
      remedy: 'Versuchen Sie es gleich noch einmal.',
    },
    'bff.token.refused': {
      title: 'Sie sind angemeldet, aber nicht hierfür',
      remedy: 'Nennen Sie Ihrem Administrator die Nummer der Anfrage.',
    },
    'bff.logout.confirm': {
      title: 'Abmelden?',
      remedy: 'Eine andere Website hat Sie hierher geschickt. Gehen Sie nur weiter, wenn Sie sich abmelden wollten.',
    },
    'bff.logout.sid_mismatch': {
      title: 'Sie sind noch angemeldet',
      remedy: 'Melden Sie sich in der Anwendung ab.',
    },
    'bff.logout.token_refused': {
      title: 'Diese Abmeldung wurde nicht angenommen',
      remedy: 'Melden Sie sich in der Anwendung ab.',
    },
    'bff.body.too_large': { title: 'Das ist zu groß', remedy: 'Schicken Sie weniger auf einmal.' },
    'bff.upstream.unreachable': upstreamSilent,
    'bff.upstream.broke_off': upstreamSilent,
    'bff.upstream.unavailable': upstreamSilent,
    'bff.upstream.invalid_response': upstreamSilent,
    'bff.upstream.nonce_required': upstreamSilent,
    'bff.upstream.timeout': { ...upstreamSilent, title: 'Der Dienst hinter dieser Seite braucht zu lange' },
    'bff.forward_auth.forged_field': {
      title: 'Diese Anfrage kann nicht weitergegeben werden',
      remedy: 'Gehen Sie zurück zur Anwendung und versuchen Sie es noch einmal.',
    },
    'bff.forward_auth.changed': {
      title: 'Bitte versuchen Sie es gleich noch einmal',
      remedy: 'Laden Sie die Seite neu.',
    },
    'bff.internal': {
      title: 'Hier ist etwas schiefgegangen',
      remedy:
        'Versuchen Sie es noch einmal. Klappt es wieder nicht, nennen Sie Ihrem Administrator die Nummer der Anfrage.',
    },
  },
  chooseAuthority: 'Wo möchten Sie sich anmelden?',
  lastTime: 'wie zuletzt',
  signIn: 'Anmelden',
  signInAsOther: 'Als jemand anderes anmelden',
  signOut: 'Abmelden',
  tryAgain: 'Noch einmal versuchen',
  back: 'Zurück zur Anwendung',
  code: 'Code',
  request: 'Anfrage',
  reason: 'Grund',
  oneMoment: 'Einen Moment',
  goOn: 'Weiter',
  signedIn: 'Sie sind angemeldet',
  closeWindow: 'Sie können dieses Fenster schließen.',
}
