"""The sentences that say what differs between two policies, in every language of the emails."""

from __future__ import annotations

from typing import Final

from shared.policy.base import Localised, text_in

WORDS: Final[dict[str, Localised]] = {
    "title.signature": {
        "en": "Signature",
        "fr": "Signature",
        "es": "Firma",
        "ar": "التوقيع",
    },
    "title.categories": {
        "en": "Kind of organisation",
        "fr": "Type d’organisation",
        "es": "Tipo de organización",
        "ar": "نوع المؤسسة",
    },
    "title.criteria": {"en": "Criterion", "fr": "Critère", "es": "Criterio", "ar": "المعيار"},
    "title.questions": {"en": "Question", "fr": "Question", "es": "Pregunta", "ar": "السؤال"},
    "title.evidence": {"en": "Document", "fr": "Document", "es": "Documento", "ar": "المستند"},
    "title.commitments": {"en": "Commitment", "fr": "Engagement", "es": "Compromiso", "ar": "الالتزام"},
    "title.declarations": {
        "en": "What every new member must do",
        "fr": "Ce que doit faire chaque nouveau membre",
        "es": "Lo que debe hacer cada nuevo miembro",
        "ar": "ما يجب على كل عضو جديد",
    },
    "title.nominees": {
        "en": "Person to name",
        "fr": "Personne à désigner",
        "es": "Persona que hay que designar",
        "ar": "الشخص المطلوب تسميته",
    },
    "title.benefits": {"en": "Benefit", "fr": "Avantage", "es": "Beneficio", "ar": "الميزة"},
    "title.pauses": {"en": "Pause", "fr": "Suspension", "es": "Suspensión", "ar": "التعليق"},
    "title.texts": {"en": "Text", "fr": "Texte", "es": "Texto", "ar": "النص"},
    "title.lists": {
        "en": "Reference list",
        "fr": "Liste de référence",
        "es": "Lista de referencia",
        "ar": "القائمة المرجعية",
    },
    "title.facts": {"en": "Derived fact", "fr": "Fait déduit", "es": "Dato derivado", "ar": "معلومة مستنتجة"},
    "title.groups": {
        "en": "Page of the form",
        "fr": "Page du formulaire",
        "es": "Página del formulario",
        "ar": "صفحة النموذج",
    },
    "title.liaison": {"en": "Liaison", "fr": "Liaison", "es": "Enlace", "ar": "التواصل"},
    "title.identity": {
        "en": "How organisations are recognised",
        "fr": "Comment les organisations sont reconnues",
        "es": "Cómo se reconoce a las organizaciones",
        "ar": "كيفية التعرف على المؤسسات",
    },
    "sentence.signature": {
        "en": "The text of the commitments has changed. An earlier signature does not cover it: please sign anew.",
        "fr": "Le texte des engagements a changé. Une signature antérieure ne le couvre pas : veuillez le signer à nouveau.",
        "es": "El texto de los compromisos ha cambiado. Una firma anterior no lo cubre: hay que firmar de nuevo.",
        "ar": "تغيّر نص الالتزامات، والتوقيع السابق لا يشمله: يجب قراءة الالتزامات والتوقيع عليها من جديد.",
    },
    "sentence.added": {"en": "New: {text}", "fr": "Nouveau : {text}", "es": "Nuevo: {text}", "ar": "جديد: {text}"},
    "sentence.removed": {
        "en": "No longer there: {text}",
        "fr": "Supprimé : {text}",
        "es": "Ya no figura: {text}",
        "ar": "لم يعد موجودًا: {text}",
    },
    "sentence.changed": {
        "en": "Now reads: {text}",
        "fr": "Se lit désormais : {text}",
        "es": "Ahora dice: {text}",
        "ar": "أصبح النص: {text}",
    },
    "sentence.rule": {
        "en": "Reads as before, but something else about it has changed: {text}",
        "fr": "Le texte reste le même, mais autre chose a changé : {text}",
        "es": "El texto es el mismo, pero ha cambiado otra cosa: {text}",
        "ar": "النص كما كان، لكن شيئًا آخر تغيّر: {text}",
    },
    "detail.needs": {
        "en": "This is now asked for: {names}.",
        "fr": "Ceci est désormais demandé : {names}.",
        "es": "Ahora se pide: {names}.",
        "ar": "أصبح مطلوبًا الآن: {names}.",
    },
    "detail.needs_no_more": {
        "en": "This is no longer asked for: {names}.",
        "fr": "Ceci n’est plus demandé : {names}.",
        "es": "Ya no se pide: {names}.",
        "ar": "لم يعد مطلوبًا: {names}.",
    },
    "detail.alternatives": {
        "en": "Which of these may stand for one another has changed.",
        "fr": "Les réponses qui peuvent se remplacer ont changé.",
        "es": "Han cambiado las respuestas que pueden sustituirse entre sí.",
        "ar": "تغيّرت الإجابات التي يمكن أن يحل بعضها محل بعض.",
    },
    "detail.judged": {
        "en": "The same answers may now be judged differently.",
        "fr": "Les mêmes réponses peuvent désormais être appréciées autrement.",
        "es": "Las mismas respuestas pueden valorarse ahora de otro modo.",
        "ar": "قد يُحكم الآن على الإجابات نفسها حكمًا مختلفًا.",
    },
    "detail.person": {
        "en": "People now judge it.",
        "fr": "Ce sont désormais des personnes qui l’apprécient.",
        "es": "Ahora lo valoran personas.",
        "ar": "أصبح الحكم عليه لأشخاص.",
    },
    "detail.rule": {
        "en": "It is now decided by rule; no person judges it.",
        "fr": "C’est désormais une règle qui décide, et non une personne.",
        "es": "Ahora se decide por una regla, no por una persona.",
        "ar": "أصبح يُحسم بقاعدة، ولا يحكم عليه أشخاص.",
    },
    "detail.required": {
        "en": "The form now says when it is missing.",
        "fr": "Le formulaire signale désormais son absence.",
        "es": "El formulario avisa ahora si falta.",
        "ar": "أصبح النموذج ينبّه عند غيابه.",
    },
    "detail.not_required": {
        "en": "It may now be left out.",
        "fr": "Il peut désormais être omis.",
        "es": "Ahora puede omitirse.",
        "ar": "أصبح بالإمكان عدم إرفاقه.",
    },
    "detail.choices": {
        "en": "One can now choose: {names}.",
        "fr": "On peut désormais choisir : {names}.",
        "es": "Ahora se puede elegir: {names}.",
        "ar": "يمكن الآن اختيار: {names}.",
    },
    "detail.no_choices": {
        "en": "One can no longer choose: {names}.",
        "fr": "On ne peut plus choisir : {names}.",
        "es": "Ya no se puede elegir: {names}.",
        "ar": "لم يعد بالإمكان اختيار: {names}.",
    },
    # What follows is the secretariat's, which reads English.
    "detail.unmet.refer": {"en": "If it is not met, a person now looks at the application."},
    "detail.unmet.missing": {"en": "If it is not met, it is now asked for again."},
    "detail.unmet.not_met": {"en": "If it is not met, the organisation is now not eligible."},
    "detail.when": {"en": "When it applies: was {before}; is now {after}."},
    "detail.expect": {"en": "What it expects: was {before}; is now {after}."},
    "detail.own": {"en": "It now establishes the category itself."},
    "detail.not_own": {"en": "It no longer establishes the category itself."},
    "detail.remedy": {"en": "What to do about it now reads: {after}"},
    "detail.translations": {"en": "The text in these languages has changed: {locales}."},
    "detail.type": {"en": "Its kind was {before} and is now {after}."},
    "detail.asked_of": {"en": "It is now asked of: {names}."},
    "detail.asked_of.all": {"en": "It is now asked of everybody."},
    "detail.max_length": {"en": "It may now have {after} characters."},
    "detail.hint": {"en": "Its hint now reads: {after}"},
    "detail.interval": {"en": "It now lasts from {start} until before {end} ({zone})."},
    "detail.covers": {"en": "It now covers: {names}."},
    "detail.covers.all": {"en": "It now covers everybody."},
    "detail.exempt": {"en": "It now exempts: {names}."},
    "detail.exempt.none": {"en": "It now exempts nobody."},
    "detail.entries": {"en": "{count} new entries: {names}."},
    "detail.entries_gone": {"en": "{count} entries fewer: {names}."},
    "detail.other": {"en": "Something about it that is not its wording has changed."},
}


def say(name: str, locale: str, **values: str) -> str:
    """The sentence in the locale, filled. `KeyError` when there is none of that name."""
    return text_in(WORDS[name], locale).format_map(values)
