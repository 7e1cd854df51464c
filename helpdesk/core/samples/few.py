"""The six tickets that the first start offers: enough to try every button, few enough to delete."""

from helpdesk.core.samples.story import CUSTOMER, Line, Picture, Story

STORIES = (
    Story(
        days=4.1,
        name="Lucía Ferrer",
        email="lucia.ferrer@sample.invalid",
        locale="es",
        subject="El freno trasero roza después de la primera revisión",
        text=(
            "Hola:\n\nEl viernes recogí mi bicicleta después de la revisión de los 500 km y ahora el freno trasero "
            "roza en cada vuelta de la rueda. Antes no hacía ruido. Voy en bici al trabajo todos los días y no "
            "quiero estropear el disco.\n\n¿Se puede arreglar sin volver a pagar?\n\nUn saludo,\nLucía Ferrer"
        ),
        priority="high",
        tags=("brakes", "warranty"),
        files=(Picture("freno-trasero.png", (150, 120, 110)),),
        assignee="agent",
        lines=(
            Line(
                "agent",
                14,
                "Hola, Lucía:\n\nLo siento, eso no debería pasar después de una revisión. Centramos el disco sin "
                "coste. ¿Puede traer la bicicleta el jueves? Tardamos media hora y el café es nuestro.",
                status="pending",
            ),
            Line("agent", 2, "Discs of this batch are up to 0.4 mm out of true. Swap it, do not bend it.", note=True),
            Line(CUSTOMER, 28, "Gracias. El jueves me va bien, antes del trabajo."),
        ),
    ),
    Story(
        days=2.2,
        name="陈雨桐",
        email="chen.yutong@sample.invalid",
        locale="zh_Hans",
        subject="退款还没有到账",
        text="您好：\n\n我十天前退回了头盔，物流显示你们已经签收，但是退款到现在还没有到账。请帮忙看一下。\n\n谢谢！\n陈雨桐",
        tags=("refund",),
    ),
    Story(
        days=1.3,
        name="ليلى حداد",
        email="layla.haddad@sample.invalid",
        locale="ar",
        subject="استبدال خوذة بمقاس أصغر",
        text="مرحبًا،\n\nاشتريت خوذة الأسبوع الماضي وهي كبيرة عليّ. أحتاج مقاسًا أصغر، فهل التبديل مجاني؟\n\nشكرًا،\nليلى",
        tags=("exchange", "sizes"),
        assignee="agent",
        lines=(
            Line(
                "agent", 3, "مرحبًا ليلى،\n\nنعم، التبديل مجاني خلال 30 يومًا. حجزنا لك المقاس الأصغر.", status="pending"
            ),
        ),
    ),
    Story(
        days=0.2,
        name="Tom Ashby",
        email="tom.ashby@sample.invalid",
        subject="Lock jammed, bike is outside the station",
        text=(
            "Hello,\n\nI rode home in the rain yesterday and this morning the lock does not open any more. The key "
            "goes in but does not turn. The bicycle stands outside the station and I do not like that.\n\nTom"
        ),
        priority="urgent",
        channel="web",
    ),
    Story(
        days=6.5,
        name="Hannah Whitlock",
        email="hannah.whitlock@sample.invalid",
        subject="Where is order 88213?",
        text="Good morning,\n\nit was to come on Monday. The tracking page has said “under way” for days.\n\nHannah",
        tags=("delivery",),
        assignee="agent",
        lines=(
            Line("agent", 5, "Hello Hannah,\n\nthe courier says Wednesday before noon. I will look again that day."),
            Line(CUSTOMER, 50, "It has come, thank you! All is well.", status=None),
            Line("agent", 1, "Good to hear. Ride safely!", status="solved"),
        ),
    ),
    Story(
        days=3.4,
        name="Daniel Roe",
        email="daniel.roe@sample.invalid",
        subject="Does the child seat fit the rear rack?",
        text="Hi, is the child seat tested with the rear rack of the Minnow? Our daughter weighs 14 kg.\n\nDaniel",
        tags=("accessories",),
        channel="web",
        assignee="agent",
        lines=(Line("agent", 20, "I have asked the maker; the answer comes by Friday.", note=True, status="on_hold"),),
    ),
)
