package example.ledger.book;

import example.ledger.money.Currency;
import example.ledger.money.Money;
import java.time.LocalDate;
import java.util.List;

/** One event in the books: postings of one currency whose debits equal their credits. */
public record Entry(LocalDate date, String description, List<Posting> postings) {

    public Entry {
        postings = List.copyOf(postings);
        if (postings.isEmpty()) {
            throw new IllegalArgumentException("expected postings, got none");
        }
        Money difference = totalDebits(postings);
        if (!difference.isZero()) {
            throw new UnbalancedEntryException(description, difference);
        }
    }

    /** Makes an entry; fails unless debits equal credits. */
    public static Entry of(LocalDate date, String description, Posting... postings) {
        return new Entry(date, description, List.of(postings));
    }

    /** Returns what was moved: the sum of the debit side. */
    public Money total() {
        Money total = Money.zero(currency());
        for (Posting posting : postings) {
            if (posting.side() == Side.DEBIT) {
                total = total.plus(posting.amount());
            }
        }
        return total;
    }

    /** Says whether an account has a posting here. */
    public boolean touches(AccountId account) {
        return postings.stream().anyMatch(posting -> posting.account().equals(account));
    }

    /** Returns the debits less the credits of one account. */
    public Money debitsOf(AccountId account) {
        Money total = Money.zero(currency());
        for (Posting posting : postings) {
            if (posting.account().equals(account)) {
                total = total.plus(posting.debits());
            }
        }
        return total;
    }

    /** Returns the entry that takes this one back on a later day. */
    public Entry reversed(LocalDate day) {
        List<Posting> back = postings.stream().map(Posting::reversed).toList();
        return new Entry(day, "Reversal: " + description, back);
    }

    private Currency currency() {
        return postings.get(0).amount().currency();
    }

    private static Money totalDebits(List<Posting> postings) {
        List<Money> debits = postings.stream().map(Posting::debits).toList();
        return Money.sum(debits, debits.get(0).currency());
    }
}
