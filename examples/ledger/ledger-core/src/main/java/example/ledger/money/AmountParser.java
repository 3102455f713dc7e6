package example.ledger.money;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads amounts as people write them: {@code 1,234.50 EUR}, {@code -3 USD}, {@code (12.00)}. */
public final class AmountParser {

    private static final Pattern NUMBER = Pattern.compile("-?\\d[\\d,]*(\\.\\d+)?");
    private static final Pattern WITH_CODE = Pattern.compile("(\\S+)\\s+([A-Za-z]{3})");

    /** Reads an amount that is followed by its currency code. */
    public Money parse(String text) {
        Matcher matcher = WITH_CODE.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException("expected an amount and a currency, got: " + text);
        }
        return parse(matcher.group(1), Currency.ofCode(matcher.group(2)));
    }

    /** Reads an amount without a code; parentheses make it negative. */
    public Money parse(String text, Currency currency) {
        String number = text.strip();
        if (number.startsWith("(") && number.endsWith(")")) {
            return parse(number.substring(1, number.length() - 1), currency).negate();
        }
        if (!isNumber(number)) {
            throw new IllegalArgumentException("expected an amount, got: " + text);
        }
        return Money.of(number.replace(",", ""), currency);
    }

    /** Reads an amount without a code; null, blanks and a dash are zero. */
    public Money parseOrZero(String text, Currency currency) {
        if (text == null || text.isBlank() || text.strip().equals("-")) {
            return Money.zero(currency);
        }
        return parse(text, currency);
    }

    /** Says whether a text is a number that could be an amount. */
    public boolean isNumber(String text) {
        return NUMBER.matcher(text).matches();
    }
}
