import type { PageTexts } from './page-texts.js'

const nothingHere = { title: 'Il n’y a rien à cette adresse', remedy: 'Retournez à l’application.' }
const notUnderstood = {
  title: 'Cette demande est incompréhensible',
  remedy: 'Retournez à l’application et réessayez.',
}
const notPossible = { title: 'Ce n’est pas possible ici', remedy: 'Retournez à l’application.' }
const upstreamSilent = {
  title: 'Le service derrière cette page ne répond pas',
  remedy: 'Réessayez dans un instant.',
}

export const fr: PageTexts = {
  language: 'fr',
  advice: {
    'bff.frontend.unknown': { ...nothingHere, remedy: 'Vérifiez le nom d’hôte dans l’adresse.' },
    'bff.request.ambiguous_target': notUnderstood,
    'bff.request.malformed': notUnderstood,
    'bff.request.too_many': {
      title: 'Veuillez patienter un instant',
      remedy: 'Trop de connexions viennent d’être tentées depuis votre réseau. Réessayez dans une minute.',
    },
    'bff.rate.exceeded': {
      title: 'Veuillez patienter un instant',
      remedy: 'L’application vient de demander plus qu’elle ne peut. Réessayez dans une minute.',
    },
    'bff.streams.too_many': {
      title: 'Trop de choses sont ouvertes à la fois',
      remedy: 'Fermez d’autres onglets de l’application.',
    },
    'bff.request.timeout': {
      title: 'Cela a mis trop de temps à arriver',
      remedy: 'Vérifiez votre connexion et réessayez.',
    },
    'bff.endpoint.unknown': nothingHere,
    'bff.asset.unknown': nothingHere,
    'bff.asset.unreadable': {
      title: 'Cette page ne peut pas être lue pour le moment',
      remedy: 'Réessayez dans un instant.',
    },
    'bff.route.unknown': nothingHere,
    'bff.endpoint.method_not_allowed': notPossible,
    'bff.route.method_denied': notPossible,
    'bff.csrf.header_missing': {
      title: 'Cette adresse est destinée à l’application',
      remedy: 'Ouvrez l’application elle-même ; elle fait cet appel pour vous.',
    },
    'bff.csrf.cross_site': {
      title: 'Un autre site a voulu utiliser votre session',
      remedy: 'Ouvrez l’application elle-même et continuez à partir de là.',
    },
    'bff.navigation.required': {
      title: 'C’est à vous d’ouvrir cette adresse',
      remedy: 'Ouvrez l’application et continuez à partir de là.',
    },
    'bff.session.absent': { title: 'Vous n’êtes pas connecté', remedy: 'Connectez-vous pour continuer.' },
    'bff.session.ended': { title: 'Votre session est terminée', remedy: 'Reconnectez-vous pour continuer.' },
    'bff.access.denied': {
      title: 'Ceci ne vous est pas ouvert',
      remedy: 'Connectez-vous avec un autre compte, ou demandez l’accès à votre administrateur.',
    },
    'bff.store.unavailable': {
      title: 'Veuillez réessayer dans un instant',
      remedy: 'Vous êtes toujours connecté ; le service reprend son souffle.',
    },
    'bff.login.transaction_absent': {
      title: 'Cette connexion ne peut pas aboutir',
      remedy:
        'Recommencez, d’une traite et dans ce navigateur. Si cela ne suffit pas, autorisez les cookies pour ce site.',
    },
    'bff.login.issuer_mismatch': {
      title: 'Cette connexion ne vient pas d’où elle devrait',
      remedy: 'Recommencez depuis l’application.',
    },
    'bff.login.denied': {
      title: 'Vous ne vous êtes pas connecté',
      remedy: 'Rien n’a changé. Vous pouvez recommencer quand vous voulez.',
    },
    'bff.login.refused': {
      title: 'Vous ne pouvez pas vous connecter ici',
      remedy: 'Connectez-vous avec un autre compte, ou demandez à votre administrateur.',
    },
    'bff.login.failed': {
      title: 'La connexion n’a pas fonctionné',
      remedy: 'Recommencez. Si cela échoue encore, donnez le numéro de la demande à votre administrateur.',
    },
    'bff.login.too_many_sessions': {
      title: 'Vous êtes connecté trop de fois',
      remedy: 'Déconnectez-vous dans un autre navigateur ou sur un autre appareil, puis reconnectez-vous ici.',
    },
    'bff.login.loop': {
      title: 'La connexion tourne en rond',
      remedy:
        'Attendez une minute, autorisez les cookies pour ce site et ouvrez l’application à son adresse habituelle.',
    },
    'bff.step_up.required': {
      title: 'Veuillez vous reconnecter pour cela',
      remedy: 'Il faut ici une connexion plus forte ou plus récente que la vôtre. Vous restez connecté.',
    },
    'bff.step_up.not_met': {
      title: 'Cette connexion ne suffit pas',
      remedy: 'Rien n’a changé pour votre session. Recommencez, et connectez-vous comme il est demandé.',
    },
    'bff.step_up.other_user': {
      title: 'Vous vous êtes connecté comme quelqu’un d’autre',
      remedy:
        'Rien n’a changé pour votre session. Connectez-vous comme le même utilisateur, ou déconnectez-vous d’abord.',
    },
    'bff.step_up.repeated': {
      title: 'Votre connexion n’est pas acceptée ici',
      remedy:
        'Vous venez de vous connecter pour cela, et on vous le demande encore. Si cela continue, donnez le numéro de la requête à votre administrateur.',
    },
    'bff.login.confirm': {
      title: 'Se connecter ?',
      remedy: 'Un autre site vous a envoyé ici. Ne continuez que si vous vouliez vous connecter.',
    },
    'bff.issuer.unavailable': {
      title: 'Le service de connexion ne répond pas',
      remedy: 'Réessayez dans un instant.',
    },
    'bff.token.refused': {
      title: 'Vous êtes connecté, mais pas pour cela',
      remedy: 'Donnez le numéro de la demande à votre administrateur.',
    },
    'bff.logout.confirm': {
      title: 'Se déconnecter ?',
      remedy: 'Un autre site vous a envoyé ici. Ne continuez que si vous vouliez vous déconnecter.',
    },
    'bff.logout.sid_mismatch': {
      title: 'Vous êtes toujours connecté',
      remedy: 'Déconnectez-vous dans l’application.',
    },
    'bff.logout.token_refused': {
      title: 'Cette déconnexion n’a pas été acceptée',
      remedy: 'Déconnectez-vous dans l’application.',
    },
    'bff.body.too_large': { title: 'C’est trop volumineux', remedy: 'Envoyez-en moins à la fois.' },
    'bff.upstream.unreachable': upstreamSilent,
    'bff.upstream.broke_off': upstreamSilent,
    'bff.upstream.unavailable': upstreamSilent,
    'bff.upstream.invalid_response': upstreamSilent,
    'bff.upstream.nonce_required': upstreamSilent,
    'bff.upstream.timeout': { ...upstreamSilent, title: 'Le service derrière cette page met trop de temps' },
    'bff.forward_auth.forged_field': {
      title: 'Cette demande ne peut pas être transmise',
      remedy: 'Revenez à l’application et réessayez.',
    },
    'bff.forward_auth.changed': {
      title: 'Veuillez réessayer dans un instant',
      remedy: 'Rechargez la page.',
    },
    'bff.internal': {
      title: 'Un problème est survenu ici',
      remedy: 'Réessayez. Si cela échoue encore, donnez le numéro de la demande à votre administrateur.',
    },
  },
  chooseAuthority: 'Où voulez-vous vous connecter ?',
  lastTime: 'comme la dernière fois',
  signIn: 'Se connecter',
  signInAsOther: 'Se connecter avec un autre compte',
  signOut: 'Se déconnecter',
  tryAgain: 'Réessayer',
  back: 'Retour à l’application',
  code: 'Code',
  request: 'Demande',
  reason: 'Raison',
  oneMoment: 'Un instant',
  goOn: 'Continuer',
  signedIn: 'Vous êtes connecté',
  closeWindow: 'Vous pouvez fermer cette fenêtre.',
}
