"""What the channel itself says of a message, in each language of the letters: where an application stood in it, what was
wrong with it as a whole, and what was passed over.

A sentence is chosen while a message is read and put into words afterwards, when it is known which language its sender
reads. What checks an application says of its fields is English, in every channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.policy.base import text_in


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence by its name, and the words of its gaps."""

    name: str
    words: Mapping[str, str] = field(default_factory=dict)

    def in_words(self, locale: str) -> str:
        """The sentence in a locale, else in its language, else in English."""
        return text_in(SENTENCES[self.name], locale).format_map(self.words)


def said(name: str, **words: str) -> Said:
    """The sentence of that name."""
    return Said(name, words)


def as_it_is(sentence: str) -> Said:
    """A sentence that is there in English alone."""
    return Said("as_it_is", {"sentence": sentence})


SENTENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "as_it_is": {"en": "{sentence}"},
    "form": {
        "en": "the form in your message",
        "fr": "le formulaire dans votre message",
        "es": "el formulario de su mensaje",
        "ar": "الاستمارة في رسالتكم",
    },
    "one_form": {
        "en": "form {number} in your message",
        "fr": "formulaire {number} dans votre message",
        "es": "formulario {number} de su mensaje",
        "ar": "الاستمارة {number} في رسالتكم",
    },
    "row": {
        "en": "row {number} of “{file}”",
        "fr": "ligne {number} de « {file} »",
        "es": "fila {number} de «{file}»",
        "ar": "الصف {number} من «{file}»",
    },
    "item": {
        "en": "item {number} of “{file}”",
        "fr": "élément {number} de « {file} »",
        "es": "elemento {number} de «{file}»",
        "ar": "العنصر {number} من «{file}»",
    },
    "file": {"en": "“{file}”", "fr": "« {file} »", "es": "«{file}»", "ar": "«{file}»"},
    "not_looked_at": {
        "en": "Not looked at, as there is no application in it: {files}.",
        "fr": "Non examiné, faute de demande à l'intérieur : {files}.",
        "es": "No se ha examinado, porque no contiene ninguna solicitud: {files}.",
        "ar": "لم يُنظر فيما يلي لعدم وجود طلب فيه: {files}.",
    },
    "damaged": {
        "en": "The attachment “{file}” arrived damaged: attach it again.",
        "fr": "La pièce jointe « {file} » est arrivée endommagée : joignez-la de nouveau.",
        "es": "El archivo adjunto «{file}» ha llegado dañado: adjúntelo de nuevo.",
        "ar": "وصل المرفق «{file}» تالفًا: أرفقوه من جديد.",
    },
    "unreadable": {
        "en": "“{file}” could not be read. {why}",
        "fr": "« {file} » n'a pas pu être lu. Le motif, en anglais : {why}",
        "es": "No se ha podido leer «{file}». El motivo, en inglés: {why}",
        "ar": "تعذّرت قراءة «{file}». السبب بالإنكليزية: {why}",
    },
    "overlong": {
        "en": (
            "A part of your message was passed over, as its Content-Type or Content-Disposition is too long to be read: "
            "attach the file to a new message, under a short name."
        ),
        "fr": (
            "Une partie de votre message a été laissée de côté, car son Content-Type ou son Content-Disposition est trop "
            "long pour être lu : joignez le fichier à un nouveau message, sous un nom court."
        ),
        "es": (
            "Se ha pasado por alto una parte de su mensaje, porque su Content-Type o su Content-Disposition es demasiado "
            "largo para leerlo: adjunte el archivo a un mensaje nuevo, con un nombre corto."
        ),
        "ar": (
            "أُهمل جزء من رسالتكم لأن حقل Content-Type أو Content-Disposition فيه أطول من أن يُقرأ: أرفقوا الملف برسالة "
            "جديدة باسم قصير."
        ),
    },
    "quoted": {
        "en": (
            "The form stands in the quoted part of your message, in lines that begin with “>”. Quoted lines are never read "
            "as yours: write the form into a new message, without quotation marks."
        ),
        "fr": (
            "Le formulaire se trouve dans la partie citée de votre message, dans des lignes qui commencent par « > ». Les "
            "lignes citées ne sont jamais lues comme les vôtres : écrivez le formulaire dans un nouveau message, sans "
            "marques de citation."
        ),
        "es": (
            "El formulario está en la parte citada de su mensaje, en líneas que empiezan por «>». Las líneas citadas nunca "
            "se leen como suyas: escriba el formulario en un mensaje nuevo, sin marcas de cita."
        ),
        "ar": (
            "الاستمارة موجودة في الجزء المقتبس من رسالتكم، في أسطر تبدأ بالعلامة «>». ولا تُقرأ الأسطر المقتبسة على أنها "
            "منكم: اكتبوا الاستمارة في رسالة جديدة من دون علامات اقتباس."
        ),
    },
    "too_many": {
        "en": (
            "Your message has more than {most} applications, and one message may not have more. Send several messages, or "
            "ask the secretariat to upload the file for you: files may have any number of rows. Nothing of this message was "
            "taken in."
        ),
        "fr": (
            "Votre message contient plus de {most} demandes, et un message ne peut pas en contenir davantage. Envoyez "
            "plusieurs messages, ou demandez au secrétariat de téléverser le fichier pour vous : un fichier peut avoir "
            "autant de lignes que l'on veut. Rien de ce message n'a été pris en compte."
        ),
        "es": (
            "Su mensaje contiene más de {most} solicitudes, y un mensaje no puede contener más. Envíe varios mensajes o "
            "pida a la secretaría que suba el archivo por usted: un archivo puede tener cualquier número de filas. No se ha "
            "aceptado nada de este mensaje."
        ),
        "ar": (
            "تتضمن رسالتكم أكثر من {most} طلبًا، ولا يجوز أكثر من ذلك في رسالة واحدة. أرسلوا عدة رسائل، أو اطلبوا من "
            "الأمانة أن ترفع الملف نيابة عنكم: فلا حد لعدد صفوف الملف. ولم يُقبل شيء من هذه الرسالة."
        ),
    },
}
