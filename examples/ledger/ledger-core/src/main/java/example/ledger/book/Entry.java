package example.ledger.book;

import example.ledger.money.Currency;
import example.ledger.money.Money;
import java.time.LocalDate;
import java.util.ArrayList;
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

    /** Starts an entry of a day. */
    public static Builder on(LocalDate date) {
        return new Builder(date);
    }

    /** Returns the currency that all postings share. */
    public Currency currency() {
        return postings.get(0).amount().currency();
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

    private static Money totalDebits(List<Posting> postings) {
        List<Money> debits = postings.stream().map(Posting::debits).toList();
        return Money.sum(debits, debits.get(0).currency());
    }

    /** Collects the postings of an entry. */
    public static final class Builder {

        private final LocalDate date;
        private final List<Posting> postings = new ArrayList<>();
        private String description = "";

        private Builder(LocalDate date) {
            this.date = date;
        }

        /** Says what happened. */
        public Builder describedAs(String description) {
            this.description = description;
            return this;
        }

        /** Adds an amount on the debit side of an account. */
        public Builder debit(AccountId account, Money amount) {
            postings.add(Posting.debit(account, amount));
            return this;
        }

        /** Adds an amount on the credit side of an account. */
        public Builder credit(AccountId account, Money amount) {
            postings.add(Posting.credit(account, amount));
            return this;
        }

        /** Returns the entry; fails unless debits equal credits. */
        public Entry build() {
            return new Entry(date, description, postings);
        }
    }
}
