def fold_digits(text): 
    return text.translate(str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩","01234567890123456789"))
def fold_text(text): return " ".join(fold_digits(text).casefold().split())
def local_digits(text, lang): return text
def format_money(minor, currency, lang, toman=False): return f"{minor/100:.2f} {currency}"
