/// Requests that wait, and whose turn it is. Among clients the one whose last turn is longest ago comes first, so that one who
/// sends many does not keep the others waiting; a client's own come in the order of their arrival. Rules only: no clock and no
/// thread.
struct RequestQueue<Element> {
    private struct Waiting {
        let client: String
        let element: Element
    }

    let limit: Int
    private var waiting: [Waiting] = []
    /// When clients had their last turns. Who is not there had none, or long ago.
    private var turns: [String: Int] = [:]
    private var turn = 0
    private static var rememberedClients: Int { 1024 }

    init(limit: Int) { self.limit = limit }

    var count: Int { waiting.count }
    var isFull: Bool { waiting.count >= limit }

    mutating func append(_ element: Element, client: String) {
        waiting.append(Waiting(client: client, element: element))
    }

    /// Takes out the next one that may begin now.
    mutating func next(where mayBegin: (Element) -> Bool) -> Element? {
        var best: (index: Int, turn: Int)?
        for (index, candidate) in waiting.enumerated() {
            let last = turns[candidate.client] ?? 0
            if let best, last >= best.turn { continue }
            if mayBegin(candidate.element) { best = (index, last) }
        }
        guard let best else { return nil }
        let chosen = waiting.remove(at: best.index)
        turn += 1
        turns[chosen.client] = turn
        if turns.count > Self.rememberedClients {
            let oldest = turns.values.sorted()[turns.count / 2]
            turns = turns.filter { $0.value > oldest }
        }
        return chosen.element
    }

    /// Takes out all that fulfil a condition.
    mutating func remove(where condition: (Element) -> Bool) -> [Element] {
        let removed = waiting.map(\.element).filter(condition)
        if !removed.isEmpty { waiting.removeAll { condition($0.element) } }
        return removed
    }
}
