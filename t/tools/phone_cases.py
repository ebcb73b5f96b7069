#!/usr/bin/python3

# Copyright (C) the ngx_lead authors
#
# What libphonenumber, as Debian's python3-phonenumbers, makes of numbers:
# lines "<kind>\t<region>\t<text>\t<E.164 or ->" for t/phone.t.  In the text
# "\xHH" is a byte.
#
#   example   an example number of each region and type in each form; what is
#             expected is the example itself, not what the library reads
#   idd       numbers of other countries, as dialled from each region
#   random    digits behind prefixes that could be, in all regions
#   text      digits with all kinds of characters between them: nothing may
#             be accepted that the library would not take, "?" may be refused
#
# Three rules of our own are applied to what the library says; they are in
# expected() and nowhere else.
#
# usage: phone_cases.py <number of random cases> <seed>

import random
import re
import sys

import phonenumbers
from phonenumbers import (CountryCodeSource, PhoneMetadata,
                          PhoneNumberFormat, ValidationResult)

UNKNOWN = 'ZZ'

# what we take for a space or a dash, here and there more than the library

SPACES = r'\t\u00a0\u00ad\u1680\u2000-\u200f\u202a-\u202f\u205f-\u2069' \
    r'\u3000\ufeff'
DASHES = r'\u2010-\u2015\u2212\u30fc\ufe58\ufe63\uff0d'


def library(text, region):
    """(E.164, whether it is to be trusted), or None"""

    if region == UNKNOWN:
        region = None

    try:
        number = phonenumbers.parse(text, region, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return None

    possible = phonenumbers.is_possible_number_with_reason(number)
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)

    # E.164 has fifteen digits: the library's own lengths go beyond
    if possible != ValidationResult.IS_POSSIBLE or len(e164) > 16:
        return None

    code = number.country_code
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(
        code, phonenumbers.region_code_for_country_code(code))
    sure = (number.country_code_source
            != CountryCodeSource.FROM_DEFAULT_COUNTRY
            or re.fullmatch(metadata.general_desc.national_number_pattern,
                            phonenumbers.national_significant_number(number)))

    return e164, sure


def expected(text, region):
    """What we are to make of it."""

    # all spaces and dashes are the same, also where the library thinks not
    text = re.sub('[' + SPACES + ']', ' ', text)
    text = re.sub('[' + DASHES + ']', '-', text)

    found = library(text, region)

    # 00 is read as "+" in every region, and so is a space before a digit, if
    # that gives a number, unless what the library reads is one by its code
    # or looks like one
    plain = re.sub(r'[-()\[\]./\uff08\uff09\uff0e\uff0f\uff3b\uff3d]', ' ',
                   re.sub('^tel:', '    ', text))
    start = re.match(r' (?=[1-9])', text) or re.match(
        r' *0 *0', re.sub(r'\d', lambda m: str(int(m.group())), plain))

    if start and not (found and found[1]):
        found = library('+' + text[start.end():], None) or found

    return found[0] if found else '-'


def escaped(text):
    return ''.join(chr(byte) if 0x20 <= byte < 0x7f and byte != 0x5c
                   else '\\x%02x' % byte for byte in text.encode())


def case(kind, region, text, result):
    print(kind, region, escaped(text), result, sep='\t')


def plans():
    """All regions and codes without one: (region, metadata)"""

    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        yield region, PhoneMetadata.metadata_for_region(region)

    for code in sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        yield UNKNOWN, PhoneMetadata.metadata_for_nongeo_region(code)


def examples(metadata):
    """The numbers that the metadata shows, of all types."""

    found = {}

    for name in ('general_desc', 'fixed_line', 'mobile', 'toll_free',
                 'premium_rate', 'shared_cost', 'personal_number', 'voip',
                 'pager', 'uan', 'voicemail'):
        desc = getattr(metadata, name)

        if desc is None or not desc.example_number:
            continue

        number = phonenumbers.PhoneNumber(country_code=metadata.country_code)
        digits = desc.example_number
        number.national_number = int(digits)
        zeros = len(digits) - len(digits.lstrip('0'))

        if zeros:
            number.italian_leading_zero = True
            number.number_of_leading_zeros = zeros

        found[phonenumbers.format_number(number, PhoneNumberFormat.E164)] \
            = number

    return found


def example_cases():
    for region, metadata in plans():
        for e164, number in examples(metadata).items():
            forms = ['INTERNATIONAL', 'E164', 'RFC3966']

            if region != UNKNOWN:
                forms.append('NATIONAL')

            for form in forms:
                text = phonenumbers.format_number(
                    number, getattr(PhoneNumberFormat, form))
                case('example', region, text, e164)

            # without a region only international forms mean anything
            case('example', UNKNOWN, e164, e164)


def idd_cases():
    numbers = [phonenumbers.parse(text) for text in
               ('+12065550100', '+442079460958', '+390612345678',
                '+81312345678', '+4930123456')]

    for region, metadata in plans():
        if region == UNKNOWN:
            continue

        for number in numbers:
            text = phonenumbers.format_out_of_country_calling_number(
                number, region)
            case('idd', region, text, expected(text, region))

            e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)

            for prefix in ('00', '011', '+00', '+', '0011', '001', '810'):
                text = prefix + e164[1:]
                case('idd', region, text, expected(text, region))


def digits(rng, least, most):
    return ''.join(rng.choices('0123456789', k=rng.randint(least, most)))


def spread(rng, text):
    """The same digits with something between them."""

    out = ''

    for at, char in enumerate(text):
        if at and char.isdigit() and rng.random() < .2:
            out += rng.choice((' ', '-', '.', '/', ' (', ') ', '\u00a0',
                               '\u2009', '\u2013', '\u2010', ' - '))
        out += char

    return out


def starts(metadata):
    """What could stand before a national number."""

    code = str(metadata.country_code)
    prefix = re.findall(r'\d+', metadata.national_prefix_for_parsing or '')
    idd = re.findall(r'\d+', metadata.international_prefix or '')

    return ['', '', '', '+' + code, '+', '00', '00' + code, code, ' ' + code,
            '011', '0', '1', '8', ' ', '+00'] + prefix + prefix \
        + [i + code for i in idd] + [code + p for p in prefix] \
        + ['+' + code + p for p in prefix]


def random_number(rng, metadata, shown):
    text = rng.choice(starts(metadata))

    if shown and rng.random() < .5:
        nsn = phonenumbers.national_significant_number(rng.choice(shown))
        cut = rng.randint(0, len(nsn))
        text += nsn[:cut] + digits(rng, len(nsn) - cut, len(nsn) - cut)
    else:
        text += digits(rng, 3, 17)

    return text


def random_cases(rng, count):
    regions = [p for p in plans()]

    # region by region: Python forgets compiled expressions
    for at, (region, metadata) in enumerate(regions):
        shown = list(examples(metadata).values())

        for _ in range((count + at) // len(regions)):
            text = random_number(rng, metadata, shown)

            if rng.random() < .5:
                text = spread(rng, text)

            if rng.random() < .1:
                text += rng.choice((' x', ' ext. ', ';ext=', '#', ' extn ',
                                    ', ext ', ' (ext ', 'xtn', ',,', ';',
                                    ' \u0434\u043e\u0431. ', ' anexo ',
                                    ' int ', ' extensi\u00f3n ')) \
                    + digits(rng, 1, 5)

            case('random', region, text, expected(text, region))


def text_cases(rng, count):
    regions = [p for p in plans()]
    between = list(' -.()/[]+#*xX,;:~_\'"=&tel\t\n\u00a0\u00ad\u200b\u2060'
                   '\u3000\u2007\u202f\u2212\u30fc\uff0b\uff08\uff0d\uff03'
                   '\uff1b\u0301\u00b2\u2460\u00bd\ud7ff') \
        + ['ext', 'tel:', ';ext=', ';isub=', ';phone-context=',
           ';phone-context=+1', 'FLOWERS', '\x00', '\U0001f4de', 'x12/x13']
    zeros = [0x30, 0x660, 0x6f0, 0x966, 0xe50, 0xff10, 0x1d7ce, 0x1e950]

    for at, (region, metadata) in enumerate(regions):
        shown = list(examples(metadata).values())

        for _ in range((count + at) // len(regions)):
            text = random_number(rng, metadata, shown)
            zero = rng.choice(zeros)

            text = ''.join(chr(zero + int(c)) if c.isdigit() else c
                           for c in text)

            for _ in range(rng.choice((0, 0, 1, 1, 1, 2, 5))):
                cut = rng.randint(0, len(text))
                text = text[:cut] + rng.choice(between) + text[cut:]

            result = expected(text.strip(' \t\n'), region)
            spaced = expected(text, region)

            # the library reads a number out of much that is none to us
            case('text', region, text, result + '?' + spaced)


def main():
    rng = random.Random(int(sys.argv[2]))
    count = int(sys.argv[1])

    print('#', phonenumbers.__version__)

    example_cases()
    idd_cases()
    random_cases(rng, count)
    text_cases(rng, count // 5)


main()
