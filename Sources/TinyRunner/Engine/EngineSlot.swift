import TinyLayers

/// Room for one text, and what is left of the last one: a request that begins alike need not have that read again.
final class EngineSlot {
    let cache: KeyValueCache
    /// Tokens that the cache holds.
    private(set) var tokens: [Int] = []
    /// How many of them, from the first on, were read as part of a prompt.
    private(set) var promptRows = 0
    /// Tokens of an answer that are to be read once more, when there is nothing else to do.
    private(set) var unsettled: [Int] = []
    /// When it was used last, counted in requests.
    private(set) var lastUse = 0
    private(set) var text: EngineText?

    init(cache: KeyValueCache) { self.cache = cache }

    /// Begins a text whose first `count` tokens are those of another slot, or of this one.
    func begin(_ text: EngineText, with count: Int, of source: EngineSlot, prefix: Int, use: Int) {
        if source !== self {
            cache.copy(count == 0 ? 0 : count + prefix, from: source.cache)
            tokens = Array(source.tokens.prefix(count))
            promptRows = min(count, source.promptRows)
        }
        truncate(to: count, prefix: prefix)
        (self.text, lastUse, unsettled) = (text, use, [])
    }

    private func truncate(to count: Int, prefix: Int) {
        cache.truncate(to: count == 0 ? 0 : count + prefix)
        tokens.removeLast(tokens.count - count)
        promptRows = min(promptRows, count)
    }

    /// The cache holds some tokens more.
    ///
    /// - Parameter asPrompt: whether they are what a prompt's would be.
    func took(_ new: some Collection<Int>, asPrompt: Bool) {
        if asPrompt && promptRows == tokens.count { promptRows += new.count }
        tokens += new
    }

    /// The text is over. What was read stays, for as long as nobody else needs the room.
    ///
    /// - Parameter settles: whether an answer is to be read again as part of a prompt.
    func end(settles: Bool, prefix: Int) {
        guard let text else { return }
        // Whoever has heard the end may have left already.
        if text.submission.isCancelled && !text.isOver {
            truncate(to: promptRows, prefix: prefix)
        } else if settles && text.request.reuse == .prompts {
            unsettled = Array(tokens[promptRows...])
        }
        self.text = nil
        cache.releaseUnused()
    }

    /// Takes out the next tokens to be read again, and makes room for them.
    func settle(_ count: Int, prefix: Int) -> [Int] {
        let part = Array(unsettled.prefix(count))
        unsettled.removeFirst(part.count)
        truncate(to: promptRows, prefix: prefix)
        return part
    }
}

/// What of the texts in the slots a new one can begin with.
struct PrefixChoice: Equatable {
    /// The slot for the text.
    let slot: Int
    /// The slot that holds its beginning already, and how many tokens of it.
    let source: Int
    let tokens: Int

    /// What there is to know of a slot.
    struct Slot {
        /// Tokens that the new text may use.
        let usable: ArraySlice<Int>
        /// Tokens that it holds.
        let held: Int
        let isFree: Bool
        let lastUse: Int
    }

    /// The longest beginning there is, and the place to put the text: where the beginning stands, if that loses little of what
    /// stands behind it, otherwise the place that was used longest ago.
    ///
    /// - Returns: nil if no slot is free.
    init?(_ prompt: [Int], slots: [Slot]) {
        // The last token is always read, for its logits.
        let most = prompt.count - 1
        let common = slots.map { zip($0.usable, prompt.prefix(most)).prefix { $0 == $1 }.count }
        let free = slots.indices.filter { slots[$0].isFree }
        guard let oldest = free.min(by: { slots[$0].lastUse < slots[$1].lastUse }),
            let longest = slots.indices.max(by: { common[$0] < common[$1] })
        else { return nil }
        let tokens = common[longest]
        self.tokens = tokens
        // Of equal ones, one that need not be copied.
        let inPlace = free.filter { common[$0] == tokens && tokens > 0 && 2 * tokens >= slots[$0].held }
        if let place = inPlace.max(by: { slots[$0].lastUse < slots[$1].lastUse }) {
            (slot, source) = (place, place)
        } else {
            (slot, source) = (oldest, longest)
        }
    }
}
