"""What a store starts from: themes with their words, and replies to unhappy people.

Words are given in the languages we speak, and in Portuguese for shops of countries that speak it. Each
list is looked for in every comment, whatever its language: people mix them.
"""

from __future__ import annotations

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from stores.models import Store

SPOKEN = ("en", "fa", "fil")
PORTUGUESE = {"BR", "PT", "AO", "MZ", "CV"}

THEMES: dict[str, dict[str, str]] = {
    # What merely arrived ("arrived broken") is about something else: only words of time and of what did not come.
    gettext_noop("Delivery"): {
        "en": "deliver*, shipping, shipped, shipment, courier, parcel, tracking, late., too late, delay*, waiting for,"
        " still waiting, never came, never arrived, not arrived, did not arrive, arrived late, not received",
        "fa": "ارسال, تحویل, پست, پستچی, پیک, مرسوله, نرسید, نرسیده, نرسیده است, دیر, دیر رسید, تأخیر, معطل, منتظر",
        "fil": "delivery, padala, ipinadala, hindi dumating, di dumating, hindi pa dumating, wala pa rin,"
        " hindi ko natanggap, di ko natanggap, natagalan, matagal, ang tagal, naantala, rider",
        "pt": "entrega, entregue, entregar, entregaram, prazo, correio, nao chegou, chegou antes, chegou depois,"
        " chegou rapido, nao recebi, ainda nao recebi, atraso, atrasad*, atrasou, demora, demorou, demorad*, frete,"
        " transportadora, rastre*, aguardando, aguardo, esperando, previsao",
    },
    gettext_noop("Price"): {
        "en": "price, pricing, expensive, overpriced, cheap., cheaper, cost., costs., discount, fee, fees, overcharged,"
        " value for money, worth the money",
        "fa": "قیمت, گران, گرون, ارزان, ارزون, هزینه, تخفیف, می‌ارزه, نمی‌ارزه, می‌ارزد, نمی‌ارزد",
        "fil": "presyo, mahal., ang mahal., napakamahal, mura., murang, diskwento, sulit",
        "pt": "preco, caro., caros., muito cara, barato, barata, desconto, cobraram, cobrado, cobranca",
    },
    gettext_noop("Quality"): {
        "en": "quality, broken, broke., defect, defective, faulty, damaged, scratched, torn., cheaply made, flimsy,"
        " fell apart, stopped working, does not work, doesn't work, not working, fake, stale, spoiled, taste",
        "fa": "کیفیت, بی‌کیفیت, خراب, شکسته, شکست, معیوب, پاره, تقلبی, اصل نیست, کار نمی‌کند, کار نمیکنه, مانده, بیات,"
        " طعم, مزه",
        "fil": "kalidad, sira., nasira, sirang, basag, punit, depekto, peke, panis, lasa., ang lasa, hindi gumagana,"
        " di gumagana, marupok",
        "pt": "qualidade, defeito, defeituos*, quebrad*, quebrou, quebra, estrag*, danific*, arranh*, rasg*, funciona,"
        " falso, replica, original, fragil, material, acabamento, tecido, desbot*, produto ruim",
    },
    gettext_noop("Staff and service"): {
        "en": "staff, service, rude, unfriendly, friendly, polite, helpful, unhelpful, cashier, waiter,"
        " customer support, reply, replied, no answer, ignored, hung up",
        "fa": "کارکنان, پرسنل, فروشنده, برخورد, رفتار, پشتیبانی, پاسخ, جواب, جوابگو, پاسخگو, بی‌ادب, مؤدب, خوش‌برخورد,"
        " بدبرخورد, گارسون",
        "fil": "serbisyo, tauhan, staff, tindera, tindero, kahera, bastos, masungit, mabait, magalang, sumagot,"
        " sumasagot, hindi sumasagot, kausap, pakikitungo",
        "pt": "atendimento, atendente, vendedor, vendedora, resposta, respond*, retorno, contato, suporte, educad*,"
        " grosseir*, descaso, ninguem",
    },
    gettext_noop("Packaging"): {
        "en": "packaging, packaged, packed, packing, wrapped, wrapping, box, boxes, bubble wrap, crushed, leaked,"
        " leaking, spilled",
        "fa": "بسته‌بندی, بسته بندی, جعبه, کارتن, پلمپ, پلمب, ضربه‌گیر, ریخته, له شده, نشت",
        "fil": "balot, nakabalot, pakete, karton, kahon, packaging, tumapon, tumagas, yupi, durog",
        "pt": "embalagem, embalagens, embalad*, caixa, embrulh*, amassad*, vazou, vazando, lacr*, plastico bolha",
    },
    gettext_noop("Size and fit"): {
        "en": "size, sizing, fit, fits, fitting, tight, loose., too small, too big, too large, too long, too short,"
        " portion",
        "fa": "سایز, اندازه, تنگ, گشاد, کوچک, کوچیک, بزرگ, بلند, کوتاه, پرس",
        "fil": "sukat, size, masikip, maluwag, maliit, malaki, kasya, hindi kasya, di kasya, mahaba, maikli",
        "pt": "tamanho, medida, apertad*, largura, largo, larga, pequen*, muito grande, grande demais, curto, curta,"
        " nao serv*, dimens*",
    },
    gettext_noop("Returns and money back"): {
        "en": "return, refund, money back, exchange, cancel*, replacement, warranty",
        "fa": "مرجوع, مرجوعی, پس دادن, پس دادم, پس بگیر, بازگشت, برگشت پول, پولم, پول من, تعویض, عوض, لغو, کنسل, ضمانت,"
        " گارانتی",
        "fil": "ibalik, isauli, isinauli, ibinalik, refund, palitan, pinalitan, papalitan, kanselado, kinansela,"
        " garantiya",
        "pt": "devol*, reembols*, estorn*, troca, trocar, troquei, cancel*, meu dinheiro, dinheiro de volta, ressarc*,"
        " garantia",
    },
    gettext_noop("Wrong or missing item"): {
        "en": "wrong item, wrong product, wrong order, wrong colour, wrong color, wrong size, missing, incomplete,"
        " only received, only got, different from, not what i ordered, not as described",
        "fa": "اشتباه, اشتباهی, ناقص, کم بود, کسری, جا افتاده, فرق دارد, فرق داره, مغایر, مطابق سفارش نبود",
        "fil": "maling, mali ang, mali yung, mali po, kulang, iba sa, hindi ito ang, hindi pareho",
        "pt": "errad*, diferente, faltou, falta, faltando, faltaram, incomplet*, so recebi, so veio, somente recebi,"
        " apenas um, apenas uma, nao era, outro produto",
    },
}


def themes_of(store: Store) -> list[tuple[str, str]]:
    """(name, words one a line) of the themes a store starts with, named in the store's language."""
    languages = [*SPOKEN, "pt"] if store.country in PORTUGUESE else SPOKEN
    with translation.override(store.locale):
        return [
            (_(name), "\n".join(word.strip() for code in languages for word in words[code].split(",")))
            for name, words in THEMES.items()
        ]


def replies_in(language: str) -> list[tuple[str, str]]:
    """(name, text) of our replies in a language."""
    with translation.override(language):
        return [
            (
                _("We will call you"),
                _(
                    "Dear {{ name|default:'customer' }},\n\n"
                    "thank you for telling us, and we are sorry. That is not how it should be. We would like to hear"
                    " what happened and put it right. When may we call you, and at which number?\n\n{{ store }}"
                ),
            ),
            (
                _("A new one is on its way"),
                _(
                    "Dear {{ name|default:'customer' }},\n\n"
                    "we are sorry about {{ product|default:'your order' }}. A new one is on its way to you; you pay"
                    " nothing and need not send anything back.\n\n{{ store }}"
                ),
            ),
            (
                _("Your money comes back"),
                _(
                    "Dear {{ name|default:'customer' }},\n\n"
                    "we are sorry about {{ product|default:'your order' }}. We have sent your money back the way you"
                    " paid; it takes a few days to arrive.\n\n{{ store }}"
                ),
            ),
            (
                _("A small apology"),
                _(
                    "Dear {{ name|default:'customer' }},\n\n"
                    "thank you for your patience. As an apology we give you {{ gift|default:'a voucher' }}. Say the"
                    " code {{ code|default:'(see above)' }} when you pay.\n\n{{ store }}"
                ),
            ),
        ]
