internal import TinyJSON

/// The pieces of a vocabulary as a file gives them, by id.
struct PieceList: Sendable {
    /// In the file's order, which need not be that of the ids.
    private(set) var texts: TextList
    /// Of each id: where its text stands, or −1 where the file has no token of that id.
    private var places: [Int32] = []
    private var kinds: [PieceTable.Kind] = []

    /// Pieces in the order of their ids.
    init(_ texts: TextList = TextList()) {
        self.texts = texts
        places = (0..<texts.count).map { Int32(truncatingIfNeeded: $0) }
        kinds = Array(repeating: .normal, count: texts.count)
    }

    /// Texts of which each has its id.
    ///
    /// - Parameter wrong: throws for the text at a place whose id is outside the limit, or that of the text at another.
    init(_ texts: TextList, ids: [Int], limit: Int, wrong: (Int, _ other: Int?) throws(TokenizerError) -> Void)
        throws(TokenizerError)
    {
        self.texts = texts
        places.reserveCapacity(ids.count)
        kinds.reserveCapacity(ids.count)
        for (place, id) in ids.enumerated() {
            if !(0..<limit ~= id) { try wrong(place, nil) }
            if id == places.count {
                places.append(Int32(truncatingIfNeeded: place))
                kinds.append(.normal)
                continue
            }
            extend(to: id)
            if places[id] >= 0 { try wrong(place, Int(places[id])) }
            places[id] = Int32(truncatingIfNeeded: place)
            kinds[id] = .normal
        }
    }

    var count: Int { places.count }

    mutating func reserveCapacity(_ count: Int) {
        texts.reserveCapacity(texts: count, bytes: 8 * count)
        places.reserveCapacity(count)
        kinds.reserveCapacity(count)
    }

    /// nil where there is no token of that id.
    func kind(_ id: Int) -> PieceTable.Kind? { places[id] < 0 ? nil : kinds[id] }

    @inline(__always)
    func range(_ id: Int) -> Range<Int> { texts.range(Int(places[id])) }

    func text(_ id: Int) -> String { texts[Int(places[id])] }

    mutating func append(_ text: some Collection<UInt8>, _ kind: PieceTable.Kind) {
        places.append(Int32(truncatingIfNeeded: texts.count))
        kinds.append(kind)
        texts.append(text)
    }

    /// An id that has no token.
    mutating func appendNothing() {
        places.append(-1)
        kinds.append(.absent)
    }

    /// Puts a token in the place of whatever has its id.
    mutating func set(_ id: Int, _ text: String, _ kind: PieceTable.Kind) {
        extend(to: id)
        places[id] = Int32(truncatingIfNeeded: texts.count)
        kinds[id] = kind
        texts.append(text.utf8)
    }

    mutating func setKind(_ id: Int, _ kind: PieceTable.Kind) { kinds[id] = kind }

    private mutating func extend(to id: Int) { while places.count <= id { appendNothing() } }
}
